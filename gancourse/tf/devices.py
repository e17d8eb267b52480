"""Several devices on one processor, to try on any machine what runs on several elsewhere."""

from __future__ import annotations

from gancourse.errors import GancourseError
from gancourse.tf.backend import tf

__all__ = ["logical_cpus"]


def logical_cpus(count: int = 2) -> list[str]:
    """Present the processor to TensorFlow as several devices; return their names.

    They compute independently of each other and share the processor's cores, so nothing becomes
    faster. A program that is right on them is right on several GPUs in all but speed.

    Args:
        count: how many, at least 1.

    Returns:
        ``/device:CPU:0`` and so on.

    Raises:
        GancourseError: ``count`` is below 1, or TensorFlow has computed something already with
            another number of devices, which it then keeps.
    """
    if count < 1:
        raise GancourseError(f"There is no machine with {count} devices; ask for 1 or more.")
    processor = tf.config.list_physical_devices("CPU")[0]
    parts = [tf.config.LogicalDeviceConfiguration() for _ in range(count)]
    try:
        tf.config.set_logical_device_configuration(processor, parts)
    except RuntimeError:
        if len(tf.config.list_logical_devices("CPU")) != count:
            raise GancourseError(
                "TensorFlow has started with other devices and cannot change them now. Start "
                f"Python anew and call logical_cpus({count}) before anything is computed."
            ) from None
    return [device.name for device in tf.config.list_logical_devices("CPU")]

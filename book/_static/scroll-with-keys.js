// What scrolls sideways on this screen can be reached with the keyboard: equations and signatures.
// (The theme does the same for code and tables.)
(function () {
  "use strict";
  const parts = "mjx-container, span.math, dt.sig, div.cell_output pre";
  const update = () => {
    for (const part of document.querySelectorAll(parts)) {
      if (part.scrollWidth > part.clientWidth && getComputedStyle(part).overflowX !== "visible") {
        part.tabIndex = 0;
      }
    }
  };
  window.addEventListener("load", () => {
    const ready = window.MathJax && window.MathJax.startup && window.MathJax.startup.promise;
    Promise.resolve(ready).then(update);
  });
  window.addEventListener("resize", update);
})();

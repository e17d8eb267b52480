// What scrolls sideways on this screen can be reached with the keyboard: equations and signatures.
// (The theme does the same for code and tables.) What goes on to the right fades there.
(function () {
  "use strict";
  const parts = "mjx-container, span.math, dt.sig, div.cell_output pre";
  const faded = "div.math mjx-container, span.math, article pre";
  const wide = (part) =>
    part.scrollWidth > part.clientWidth && getComputedStyle(part).overflowX !== "visible";
  const fade = (part) => {
    const left = part.scrollWidth - part.clientWidth - part.scrollLeft; // less is a slanted letter's edge
    part.classList.toggle("scrolls-on", left > 8 && wide(part));
  };
  const update = () => {
    for (const part of document.querySelectorAll(parts)) if (wide(part)) part.tabIndex = 0;
    document.querySelectorAll(faded).forEach(fade);
  };
  // Scrolling does not bubble, but it can be captured.
  document.addEventListener("scroll", ({ target }) => {
    if (target.matches && target.matches(faded)) fade(target);
  }, { capture: true, passive: true });
  // What is folded up has no width yet.
  document.addEventListener("toggle", update, true);
  document.addEventListener("click", () => setTimeout(update, 100));
  window.addEventListener("load", () => {
    const ready = window.MathJax && window.MathJax.startup && window.MathJax.startup.promise;
    Promise.resolve(ready).then(update);
  });
  window.addEventListener("resize", update);
})();

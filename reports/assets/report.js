"use strict";
// Says what the mark under the pointer stands for: its own aria-label, as text, never as HTML.
(() => {
  const tip = document.getElementById("tip");
  const place = (event) => {
    const left = Math.min(event.clientX + 12, document.documentElement.clientWidth - tip.offsetWidth - 8);
    tip.style.left = Math.max(8, left) + "px";
    tip.style.top = event.clientY + 16 + "px";
  };
  document.addEventListener("pointerover", (event) => {
    const mark = event.target.closest(".chart [role='graphics-symbol'][aria-label]");
    const isMark = mark !== null && mark.getAttribute("aria-roledescription") !== "axis";
    tip.hidden = !isMark;
    if (isMark) {
      tip.textContent = mark.getAttribute("aria-label");
      place(event);
    }
  });
  document.addEventListener("pointermove", (event) => {
    if (!tip.hidden) place(event);
  });
})();

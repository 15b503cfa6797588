// Small repairs to the theme, for people who listen to a page or read it on a phone.
document.addEventListener("DOMContentLoaded", () => {
  // A wide table or output scrolls in its own box; make that box reachable by keyboard.
  document.querySelectorAll("div.cell_output, div.highlight pre, table").forEach((box) => {
    if (box.scrollWidth > box.clientWidth + 1) box.setAttribute("tabindex", "0");
  });
});

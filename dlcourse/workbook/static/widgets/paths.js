// Where require.js finds what a widget asks for later: beside this file, never on another machine.
{
  const beside = (name) => new URL(name, document.currentScript.src).href;
  const here = beside(".").replace(/\/$/, "");  // its fonts lie here too
  require.config({ paths: { anywidget: beside("anywidget"), "@jupyter-widgets": here, "@jupyter-widgets/html-manager/dist": here } });
}
// Widgets ask for formulas as MathJax 2 wanted it; the page has MathJax 3.
addEventListener("load", () => {
  const math = window.MathJax;
  if (math && !math.Hub) math.Hub = { Queue: ([, , element]) => math.typesetPromise([element]) };
});

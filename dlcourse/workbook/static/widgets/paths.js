// Where require.js finds anywidget: beside this file, never on another machine.
require.config({ paths: { anywidget: new URL("anywidget", document.currentScript.src).href } });

/** Of the problems that wires can have. */
type WiringCode =
  | "unknown-node"
  | "unknown-port"
  | "wrong-port-type"
  | "port-taken"
  | "input-without-schema"
  | "unconnected-input"
  | "cycle";

/** What the designer says of its actions, outline, find box, notes and groups. */
export const enDesigner = {
  actions: {
    undo: "Undo",
    redo: "Redo",
    add: "Search and add a component",
    copy: "Copy",
    cut: "Cut",
    paste: "Paste",
    duplicate: "Duplicate",
    remove: "Delete",
    heal: "Delete and join what it stood between",
    note: "Add a note",
    group: "Group the selection",
    ungroup: "Take the group apart",
    rename: "Rename the node",
    nudge: "Move by one step of the grid",
    selectAll: "Select everything",
    selectUp: "Select all that feeds the selection",
    selectDown: "Select all that the selection feeds",
    walk: "Go along the wires",
    settings: "Open the settings",
    back: "Back to the node, or select nothing",
    run: "Run all",
    runToHere: "Run to the selected node",
    runFromHere: "Run from the selected node on",
    runOptions: "Run with options…",
    stop: "Stop the run",
    tidy: "Tidy up",
    find: "Find on the canvas",
    outline: "Outline",
    shortcuts: "Keyboard shortcuts",
    splice: "Drag past wires without being put onto one",
  },
  actionGroups: { edit: "Change", select: "Select and move about", run: "Run", view: "View" },
  keyNames: {
    Mod: "Ctrl",
    Shift: "Shift",
    Alt: "Alt",
    Delete: "Delete",
    Enter: "Enter",
    Escape: "Esc",
    Space: "Space",
    arrows: "Arrows",
    ArrowLeft: "←",
    ArrowRight: "→",
    drag: "drag",
  } as Readonly<Record<string, string>>,
  why: (reason: string) => `Why: ${reason}`,
  nodeMenu: (title: string) => `What to do with ${title}`,
  announceSpliced: (title: string) => `${title} put onto the wire.`,
  announceHealed: (count: number) =>
    count === 1
      ? "1 node removed, its neighbours joined."
      : `${String(count)} nodes removed, their neighbours joined.`,
  announceTidied: "Tidied up.",
  announceGrouped: (count: number) => `${String(count)} nodes grouped.`,
  announceUngrouped: "The group was taken apart.",
  announceDisconnected: (from: string, to: string) => `${from} no longer feeds ${to}.`,

  outlineHint: "Arrow keys go from node to node, Enter opens the settings.",
  outlineEmpty: "Nothing on the canvas yet.",
  outlineFrom: "From",
  outlineTo: "To",
  outlineNothing: "nothing",
  outlineConnect: (port: string) => `Connect ${port} to…`,
  outlineDisconnect: (from: string, to: string) => `Disconnect ${from} from ${to}`,
  notRun: "Not run",

  findLabel: "Find nodes",
  findPlaceholder: "Words, or  status in {failed}; duration > 10",
  findNone: "No node fits.",
  findCount: (at: number, count: number) => `${String(at)} of ${String(count)}`,
  findNext: "Next",
  findPrevious: "Previous",

  note: "Note",
  noteText: "Text of the note",
  noteColour: "Colour",
  noteEmpty: "Double-click to write",
  groupTitle: "Title of the group",
  groupNew: "Group",
  colours: {
    yellow: "Yellow",
    blue: "Blue",
    green: "Green",
    pink: "Pink",
    grey: "Grey",
  },

  overview: "Overview of the pipeline",
  portTypes: {
    table: "data",
    model: "trained model",
    "untrained-model": "learner",
    transform: "transformation",
  } as Readonly<Record<string, string>>,
  refused: {
    cycle: "That would lead the data in a circle.",
    "wrong-port-type": "This port is for another kind of value.",
    "same-node": "A node cannot feed itself.",
    "unknown-port": "That port is not there.",
  },
  /** What is wrong with wires, and what to do, until the server has said it in full. */
  wiring: {
    "unknown-node": () => ["A wire leads to a node that is not there.", "Remove it."],
    "unknown-port": (port: string) => [`There is no port “${port}”.`, "Remove the wire."],
    "wrong-port-type": (port: string) => [
      `“${port}” is for another kind of value.`,
      "Remove the wire and connect an output of the right kind.",
    ],
    "port-taken": (port: string) => [
      `More than one wire ends at “${port}”.`,
      "Remove all but one.",
    ],
    "input-without-schema": (port: string) => [
      `Only a Web Service Input feeds “${port}”, so its columns are not known.`,
      "Connect a data set with sample rows to the same input.",
    ],
    "unconnected-input": (port: string) => [
      `Input “${port}” is not connected.`,
      "Draw a wire to it.",
    ],
    cycle: () => ["The wires lead from this node back to itself.", "Remove one of them."],
  } as Readonly<Record<WiringCode, (port: string) => readonly [string, string]>>,
  sweep: "Sweep",
  sweepSoFar: (settled: number, total: number) =>
    `${String(settled)} of ${String(total)} settings tried`,
  sweepBest: (metric: string, value: string) => `best ${metric}: ${value}`,
  sweepCurve: (metric: string) => `${metric} of each try, and the best so far`,
  sweepTry: "Try",
  sweepPruned: "given up",
  sweepFailed: "cannot be trained",

  paletteSamples: "Sample data",
  paletteModels: "My models",
  paletteTransformations: "My transformations",
  portsBefore: "Before",
  portsAfter: "After",
  resultsHeight: "Height of the results",
  announceFailed: (title: string) => `The run failed at ${title}.`,
  announceOver: (state: string) => `The run is over: ${state}.`,

  runTitle: "Run the pipeline",
  runExperimentHint: "Pick one or write a new name.",
  runName: "Name of the run",
  runNameHint: "One is made up when you leave it empty.",
  runTarget: "Runs on",
  runTargetHint: "Where the steps are worked on.",
  runScope: "What is run",
  runReuseNothing: "Reuse nothing",
  runSubmit: "Run",
  runMore: "More ways to run",
  runPlanHint: "What a run would do now, and why",
  planSource: "Data",
  planRun: "Runs",
  planReuse: "Reused",
  planPerhaps: "Runs if its input changes",

  pipelineParameters: "Pipeline parameters",
  promote: "Set at each run",
  promoteName: "Name of the pipeline parameter",
  promoteHint: "A name that is there already sets both values.",
  promotedAs: (name: string) => `Set at each run as “${name}”; this is its default.`,
  detach: "No longer set at each run",
  parameterDefault: "Default",
  parameterDescription: "Description",
  version: (number: number) => `Version ${String(number)}`,
  upgradeOffer: (from: number, to: number) =>
    `Made with version ${String(from)}; version ${String(to)} is here. Your settings are carried over, and undo brings this version back.`,
  upgrade: (to: number) => `Upgrade to version ${String(to)}`,
};

/** Models, transformations, compute and cleaning up. */
export const enAssets = {
  models: "Models",
  transformations: "Transformations",
  modelsHint:
    "Trained models that were registered from a run, or kept by a conversion. They stand in the palette under My models.",
  transformationsHint:
    "What transformations learnt from data. They stand in the palette under My transformations.",
  modelsNone:
    "Nothing is registered yet. Convert a trained pipeline, or register a result of a run.",
  modelMade: "Registered",
  modelUse: "Drag it from the palette of a pipeline to use it there.",
  modelLineage: "Where it came from",
  modelPort: "Port",
  modelDigest: "Digest",

  compute: "Compute",
  computeRuns: "Compute clusters",
  computeInference: "Inference clusters",
  computeNew: "New",
  computeRunsHint: "Where the steps of runs are worked on.",
  computeInferenceHint: "Where the replicas of endpoints run.",
  computeWorkers: "Workers",
  computeIdle: "Idle seconds before scale down",
  computeMin: "Min workers",
  computeMax: "Max workers",
  computeMaxHint: "As many as there are cores when empty",
  computeAddress: "Address of the Ray cluster",
  computeAddressHint: "host:port; one is started as needed when empty",
  computeKind: "Kind",
  computeKinds: { local: "Processes of this machine", ray: "Ray" } as Readonly<
    Record<string, string>
  >,
  computeStates: { off: "Off", idle: "Idle", busy: "Busy" },
  computeState: "State",
  computeRunning: "Runs there",
  computeWaiting: (steps: number) => `${String(steps)} waiting`,
  computeNothing: "nothing",
  computeEdit: (name: string) => `Change ${name}`,
  computeDelete: (name: string) => `Delete ${name}`,
  computeRange: (now: number, least: number, most: string) =>
    `${String(now)} now, ${String(least)} to ${most}`,
  clusterCapacity: "Capacity",
  clusterReserved: "Reserved",
  clusterEndpoints: "Deployed there",
  clusterResize: (name: string) => `Resize ${name}`,
  clusterDetach: (name: string) => `Detach ${name}`,
  clusterStates: { ready: "Ready", unreachable: "Unreachable" } as Readonly<Record<string, string>>,
  clusterAmount: (cpu: number, memory: number) => `${amount(cpu)} cores, ${amount(memory)} GB`,
  clusterDefault: "It is always there.",
  clusterApply: "Apply",

  cleanup: "Clean up",
  cleanupSpace: "Disk space",
  cleanupKinds: {
    table: "Tables",
    model: "Models",
    transform: "Transformations",
    "untrained-model": "Untrained models",
    files: "Bundles of files",
    steps: "Records of steps",
    quarantine: "Damaged values put aside",
    temporary: "Temporary files",
    logs: "Logs of runs",
    packages: "Packages of deployments",
    database: "Database",
  } as Readonly<Record<string, string>>,
  cleanupFree: (size: string) => `${size} are free on the disk.`,
  cleanupCount: "Values",
  cleanupSize: "Size",
  cleanupKind: "Kind",
  cleanupRetention: "What may go",
  cleanupHint:
    "Registered data sets and models, what drafts hold, and runs that drafts and endpoints come from always stay.",
  cleanupDays: "Runs and deleted drafts older than (days)",
  cleanupSizeLimit: "Oldest runs until the store takes at most (GB)",
  cleanupNothing: "Nothing would go.",
  cleanupWould: (runs: number, drafts: number, values: number, size: string) =>
    `${String(runs)} runs, ${String(drafts)} deleted drafts and ${String(values)} stored values would go: ${size}.`,
  cleanupKept: (runs: number) => `${String(runs)} older runs stay, since something needs them:`,
  cleanupNeeded: "Needed by",
  cleanupDo: "Clean up",
  cleanupDone: (size: string) => `${size} are free again.`,
  cleanupByHand: "Delete by hand",
  cleanupByHandHint: "Each list shows what depends on a thing before it goes.",
  bytes: (value: number) => {
    const units = ["B", "kB", "MB", "GB", "TB"];
    const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
    return `${amount(value / 1000 ** power)} ${units[power] ?? ""}`;
  },
};

const amount = (value: number) => value.toLocaleString(undefined, { maximumFractionDigits: 2 });

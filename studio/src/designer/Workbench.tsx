import { useComputedColorScheme } from "@mantine/core";
import { type ReactNode, useCallback, useMemo, useState } from "react";
import { useLibrary } from "../api/queries";
import { Canvas, focusNode, type Spliced } from "../canvas/Canvas";
import type { Drawn, Shown } from "../canvas/toFlow";
import { passageOn, type PortsOf, refusal, spliceOn } from "../draft/connect";
import * as edits from "../draft/edits";
import {
  type Draft,
  findNode,
  type Group,
  type Note,
  parsePin,
  type Point,
  type Wire,
} from "../draft/graph";
import { below, freeBelow, joint, openOutput } from "../draft/place";
import { useDraft } from "../draft/store";
import { useText } from "../text/useText";
import { useStable } from "../ui/useStable";
import type { Here, Panel } from "./actions/action";
import { BottomPanel, type BottomTab } from "./BottomPanel";
import { Conflict } from "./Conflict";
import { Find } from "./Find";
import type { LookAt, ShowTries } from "./lookAt";
import { NodeMenu } from "./NodeMenu";
import { Outline } from "./Outline";
import { type Dragged, fromDragged } from "./entries";
import { Palette } from "./Palette";
import { type Pick, Picker } from "./Picker";
import { Properties } from "./Properties";
import { remembered } from "./remembered";
import type { Port } from "./Results";
import { RunDialog } from "./RunDialog";
import { Shortcuts } from "./Shortcuts";
import { Toolbar } from "./Toolbar";
import { useAutosave } from "./useAutosave";
import { useCheck } from "./useCheck";
import { useKeys } from "./useKeys";
import { useOffer } from "./useOffer";
import { useRun } from "./useRun";
import classes from "./Workbench.module.css";

interface Props {
  readonly draftId: string;
  readonly name: string;
  readonly kind: string;
  readonly lookAt: LookAt;
  readonly showTries: ShowTries;
  readonly tools?: ReactNode;
  readonly notice?: ReactNode;
}

const NONE: ReadonlySet<string> = new Set();

/** Palette, canvas, settings and results of the open draft. */
export function Workbench({ draftId, name, lookAt, showTries, tools, notice }: Props) {
  const text = useText();
  const dark = useComputedColorScheme("light") === "dark";
  const library = useLibrary();
  const history = useDraft((state) => state.history);
  const edit = useDraft((state) => state.edit);
  const draft = history?.present.draft ?? null;
  const portsOf = useCallback<PortsOf>((component) => library.get(component), [library]);
  const known = useCheck(draft?.graph ?? null, portsOf);
  useAutosave();

  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [wires, setWires] = useState<ReadonlySet<string>>(new Set());
  const [focus, setFocus] = useState<{ node: string } | null>(null);
  const [said, setSaid] = useState("");
  const [picking, setPicking] = useState<Pick | null>(null);
  const [tab, setTab] = useState<BottomTab>("results");
  const [port, setPort] = useState<Port | null>(null);
  const [asking, setAsking] = useState(false);

  const [outlined, setOutlined] = useState(false);
  const [finding, setFinding] = useState(false);
  const [found, setFound] = useState<ReadonlySet<string>>(NONE);
  const [sheet, setSheet] = useState(false);
  const [menu, setMenu] = useState<Point | null>(null);

  const select = useCallback((nodes: readonly string[], chosen: readonly string[] = []) => {
    setSelected(new Set(nodes));
    setWires(new Set(chosen));
    setPort(null);
  }, []);
  const runs = useRun(draftId, draft, (over) => {
    const failed = over.steps.find((step) => step.status === "failed");
    setSaid(
      failed ? text.announceFailed(failed.title) : text.announceOver(text.runStates[over.status]),
    );
    if (!failed) return;
    select([failed.node]);
    setFocus({ node: failed.node });
    setTab("results");
  });

  const components = library as ReadonlyMap<string, Drawn>;
  const problems = useMemo(() => {
    const counts = new Map<string, { errors: number; warnings: number }>();
    for (const problem of known.problems) {
      if (!problem.node) continue;
      const found = counts.get(problem.node) ?? { errors: 0, warnings: 0 };
      if (problem.severity === "error") found.errors += 1;
      else found.warnings += 1;
      counts.set(problem.node, found);
    }
    return counts;
  }, [known.problems]);
  const shown = useMemo<Shown | null>(
    () => draft && { draft, components, runs: runs.byNode, problems, selected, found },
    [draft, components, runs.byNode, problems, selected, found],
  );

  const titleOf = (id: string) => (draft ? titleIn(draft, library, id) : id);

  const focusOn = useStable((node: string) => {
    select([node]);
    setFocus({ node });
  });
  const openSettings = useStable((node: string) => {
    select([node]);
    // The form of this node is drawn first.
    requestAnimationFrame(() => {
      document.querySelector<HTMLElement>("#settings :is(input, textarea, button)")?.focus();
    });
  });
  const connect = useStable((source: string, target: string) => {
    edit(edits.connect(source, target), "connect");
    setSaid(text.announceConnected(titleOf(parsePin(source).node), titleOf(parsePin(target).node)));
  });
  const maySplice = useStable((wire: string, spliced: Spliced) => {
    const on = draft && wireOf(wire);
    if (!on) return false;
    return "node" in spliced
      ? spliceOn(draft.graph, on, spliced.node, portsOf) !== null
      : passageOn(draft.graph, on, spliced.component, portsOf) !== null;
  });
  const move = useStable((places: Readonly<Record<string, Point>>, onto: string | null) => {
    const [node] = Object.keys(places);
    const wire = onto === null ? null : wireOf(onto);
    const through = wire && draft && node && spliceOn(draft.graph, wire, node, portsOf);
    if (!through) edit(edits.moveNodes(places), "move");
    else {
      edit(
        edits.inTurn(edits.moveNodes(places), edits.splice(wire, node, through.into, through.out)),
        "splice",
      );
      setSaid(text.announceSpliced(titleIn(draft, library, node)));
    }
  });

  const add = (
    dragged: Dragged,
    at: Point,
    wired: { readonly pin: string; readonly side: "source" | "target" } | null = null,
    onto: string | null = null,
  ) => {
    if (!draft) return;
    const node = fromDragged(dragged);
    const id = edits.idFor(draft, node);
    const snapped = { x: Math.round(at.x / 10) * 10, y: Math.round(at.y / 10) * 10 };
    const steps = [edits.addNode(node, snapped)];
    const wish = wired && joint(draft.graph, wired, node.component, portsOf);
    if (wired && wish) {
      const [source, target] =
        wired.side === "source" ? [wired.pin, `${id}.${wish}`] : [`${id}.${wish}`, wired.pin];
      steps.push(edits.connect(source, target));
    }
    const wire = onto === null ? null : wireOf(onto);
    const through = wire && passageOn(draft.graph, wire, node.component, portsOf);
    if (through) steps.push(edits.splice(wire, id, through.into, through.out));
    edit(edits.inTurn(...steps), "add");
    select([id]);
    setSaid(through ? text.announceSpliced(dragged.title) : text.announceAdded(dragged.title));
  };
  /** What is added without a place comes below what is selected, and is fed by it where it can be. */
  const addBehind = useStable((dragged: Dragged) => {
    if (!draft) return;
    const [only] = selected.size === 1 ? selected : [];
    const behind = only === undefined ? null : openOutput(draft, only, dragged.component, portsOf);
    const above = only === undefined ? undefined : draft.layout.positions[only];
    const at = above ? freeBelow(draft.layout.positions, above) : below(draft.layout.positions);
    add(dragged, at, behind === null ? null : { pin: behind, side: "source" });
    setFocus({ node: edits.idFor(draft, fromDragged(dragged)) });
  });

  const open = (panel: Panel) => {
    switch (panel) {
      case "add":
        setPicking({
          at: below(draft?.layout.positions ?? {}),
          screen: null,
          pin: null,
          side: "source",
        });
        break;
      case "run":
        setAsking(true);
        break;
      case "problems":
        setTab("problems");
        break;
      case "find":
        setFinding(true);
        break;
      case "outline":
        // Whoever is elsewhere goes back to it; who is in it leaves it.
        if (outlined && document.activeElement?.closest("[data-outline]")) setOutlined(false);
        else {
          setOutlined(true);
          focusStep();
        }
        break;
      case "shortcuts":
        setSheet(true);
        break;
      case "title":
        document.querySelector<HTMLInputElement>("#node-title")?.select();
        break;
      case "settings":
        if (selected.size === 1) openSettings([...selected][0] ?? "");
    }
  };

  const moveNotes = useStable((notes: readonly Note[]) => {
    edit(edits.inTurn(...notes.map(edits.putNote)), "move");
  });
  const putNote = useStable((note: Note, burst: string | null) => {
    edit(edits.putNote(note), "note", burst);
  });
  const putGroup = useStable((group: Group, burst: string | null) => {
    edit(edits.putGroup(group), "group", burst);
  });
  const openMenu = useStable((node: string, screen: Point) => {
    if (!selected.has(node)) select([node]);
    setMenu(screen);
  });
  const refuses = useStable((source: string, target: string) => {
    const why = draft && refusal(draft.graph, source, target, portsOf);
    return why === null ? null : text.refused[why];
  });
  const rewire = useStable((wire: string, source: string | null, target: string | null) => {
    const before = wireOf(wire);
    if (!before) return;
    const cut = edits.disconnect(before.source, before.target);
    const drawn = source !== null && target !== null ? edits.connect(source, target) : null;
    edit(drawn ? edits.inTurn(cut, drawn) : cut, drawn ? "connect" : "disconnect");
  });
  const lookAtPort = useStable((node: string, name: string) => {
    select([node]);
    setPort({ side: "outputs", name });
    setTab("results");
  });
  const drop = useStable((dragged: string, at: Point, onto: string | null) => {
    add(JSON.parse(dragged) as Dragged, at, null, onto);
  });
  const wireToEmpty = useStable(
    (pin: string, side: "source" | "target", at: Point, screen: Point) => {
      setPicking({ at, screen, pin, side });
    },
  );
  const addAt = useStable((at: Point, screen: Point) => {
    setPicking({ at, screen, pin: null, side: "source" });
  });

  const donePicking = useCallback(() => {
    setPicking(null);
  }, []);
  const here: Here | null = draft && {
    draft,
    selected,
    wires,
    portsOf,
    text,
    running: runs.running,
    mayRun: !runs.running && !known.problems.some((p) => p.severity === "error"),
    edit,
    undo: useDraft.getState().undo,
    redo: useDraft.getState().redo,
    select,
    say: setSaid,
    submit: (submission) => {
      runs.submit({ ...remembered(draftId), ...submission });
      setSaid(text.runStarted);
    },
    stop: runs.cancel,
    open,
  };
  useKeys(here);
  useOffer(here);

  if (!draft || !shown || !here) return null;
  const [only] = selected.size === 1 ? selected : [];

  return (
    <div className={classes.bench}>
      <Toolbar
        name={name}
        draftId={draftId}
        known={known}
        here={here}
        outlined={outlined}
        tools={tools}
      />
      {outlined ? (
        <aside className={classes.palette} aria-label={text.outline} data-outline>
          <div className={classes.category} style={{ padding: "0 6px" }}>
            {text.outline}
          </div>
          <Outline
            shown={shown}
            portsOf={portsOf}
            onFocus={focusOn}
            onOpen={openSettings}
            onConnect={connect}
            onDisconnect={(source, target) => {
              edit(edits.disconnect(source, target), "disconnect");
              setSaid(
                text.announceDisconnected(
                  titleOf(parsePin(source).node),
                  titleOf(parsePin(target).node),
                ),
              );
            }}
          />
        </aside>
      ) : (
        <Palette library={library} onAdd={addBehind} />
      )}
      <div className={classes.canvas}>
        {notice}
        {finding && (
          <Find
            shown={shown}
            onFound={setFound}
            onFocus={focusOn}
            onClose={() => {
              setFinding(false);
              if (only) focusNode(only);
            }}
          />
        )}
        <Canvas
          shown={shown}
          wires={wires}
          dark={dark}
          focus={focus}
          onSelect={select}
          onMove={move}
          onMoveNotes={moveNotes}
          onNote={putNote}
          onGroup={putGroup}
          maySplice={maySplice}
          onOpen={openSettings}
          onMenu={openMenu}
          onConnect={connect}
          refusal={refuses}
          onRewire={rewire}
          onPort={lookAtPort}
          onDrop={drop}
          onWireToEmpty={wireToEmpty}
          onAddAt={addAt}
        />
      </div>
      <Properties
        draft={draft}
        selected={selected}
        library={library}
        known={known}
        onFocus={focusOn}
      />
      <BottomPanel
        tab={tab}
        onTab={setTab}
        port={port}
        onPort={setPort}
        node={only ?? null}
        draft={draft}
        library={library}
        runs={runs}
        known={known}
        lookAt={lookAt}
        showTries={showTries}
        onFocus={focusOn}
      />
      <NodeMenu
        at={menu}
        title={only ? titleOf(only) : text.manySelected(selected.size)}
        here={here}
        onClose={() => {
          setMenu(null);
        }}
      />
      {picking && (
        <Picker
          pick={picking}
          graph={draft.graph}
          library={library}
          portsOf={portsOf}
          onAdd={(dragged) => {
            setPicking(null);
            const { at, pin, side, screen } = picking;
            if (pin === null && screen === null) addBehind(dragged);
            else add(dragged, at, pin === null ? null : { pin, side });
          }}
          onDone={donePicking}
        />
      )}
      <RunDialog
        opened={asking}
        draftId={draftId}
        graph={draft.graph}
        selected={only ?? null}
        library={library}
        known={known}
        onSubmit={here.submit}
        onClose={() => {
          setAsking(false);
        }}
      />
      <Shortcuts
        opened={sheet}
        onClose={() => {
          setSheet(false);
        }}
      />
      <Conflict draftId={draftId} />
      <div className="visually-hidden" aria-live="polite">
        {said}
      </div>
    </div>
  );
}

/** Gives the keyboard's focus to the outline, once it is drawn. */
function focusStep(): void {
  setTimeout(() => {
    document.querySelector<HTMLElement>("[data-step][tabindex='0']")?.focus();
  });
}

function titleIn(draft: Draft, library: ReadonlyMap<string, Drawn>, id: string): string {
  const node = findNode(draft.graph, id);
  return node ? node.title || (library.get(node.component)?.title ?? node.component) : id;
}

/** A wire by the id it has on the canvas. */
function wireOf(id: string): Wire | null {
  const [source, target] = id.split(" > ");
  return source !== undefined && target !== undefined ? { source, target } : null;
}

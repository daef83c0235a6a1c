import { useComputedColorScheme } from "@mantine/core";
import { useCallback, useMemo, useState } from "react";
import { useLibrary } from "../api/queries";
import { Canvas, focusNode, type Spliced } from "../canvas/Canvas";
import type { Drawn, Shown } from "../canvas/toFlow";
import { passageOn, type PortsOf, refusal, spliceOn } from "../draft/connect";
import * as edits from "../draft/edits";
import { type Draft, findNode, parsePin, type Point, type Wire } from "../draft/graph";
import { useDraft } from "../draft/store";
import { useText } from "../text/useText";
import type { Here, Panel } from "./actions/action";
import { BottomPanel } from "./BottomPanel";
import { Conflict } from "./Conflict";
import { Find } from "./Find";
import type { LookAt } from "./lookAt";
import { NodeMenu } from "./NodeMenu";
import { Outline } from "./Outline";
import { type Dragged, fromDragged, Palette } from "./Palette";
import { Properties } from "./Properties";
import { Shortcuts } from "./Shortcuts";
import { Toolbar } from "./Toolbar";
import { useAutosave } from "./useAutosave";
import { useCheck } from "./useCheck";
import { useKeys } from "./useKeys";
import { useRun } from "./useRun";
import classes from "./Workbench.module.css";

interface Props {
  readonly draftId: string;
  readonly name: string;
  readonly kind: string;
  readonly lookAt: LookAt;
}

const NONE: ReadonlySet<string> = new Set();

/** Palette, canvas, settings and results of the open draft. */
export function Workbench({ draftId, name, lookAt }: Props) {
  const text = useText();
  const dark = useComputedColorScheme("light") === "dark";
  const library = useLibrary();
  const history = useDraft((state) => state.history);
  const edit = useDraft((state) => state.edit);
  const draft = history?.present.draft ?? null;
  const known = useCheck(draft?.graph ?? null);
  const runs = useRun(draftId, draft);
  useAutosave();

  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [wires, setWires] = useState<ReadonlySet<string>>(new Set());
  const [focus, setFocus] = useState<{ node: string } | null>(null);
  const [said, setSaid] = useState("");
  const [palette, setPalette] = useState<{ at: Point; source: string | null } | null>(null);

  const [outlined, setOutlined] = useState(false);
  const [finding, setFinding] = useState(false);
  const [found, setFound] = useState<ReadonlySet<string>>(NONE);
  const [sheet, setSheet] = useState(false);
  const [menu, setMenu] = useState<Point | null>(null);

  const portsOf = useCallback<PortsOf>((component) => library.get(component), [library]);
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

  const select = useCallback((nodes: readonly string[], chosen: readonly string[] = []) => {
    setSelected(new Set(nodes));
    setWires(new Set(chosen));
  }, []);

  const titleOf = (id: string) => (draft ? titleIn(draft, library, id) : id);

  const focusOn = (node: string) => {
    select([node]);
    setFocus({ node });
  };
  const openSettings = (node: string) => {
    select([node]);
    // The form of this node is drawn first.
    requestAnimationFrame(() => {
      document.querySelector<HTMLElement>("#settings :is(input, textarea, button)")?.focus();
    });
  };
  const connect = (source: string, target: string) => {
    edit(edits.connect(source, target), "connect");
    setSaid(text.announceConnected(titleOf(parsePin(source).node), titleOf(parsePin(target).node)));
  };
  const maySplice = useCallback(
    (wire: string, spliced: Spliced) => {
      const on = draft && wireOf(wire);
      if (!on) return false;
      return "node" in spliced
        ? spliceOn(draft.graph, on, spliced.node, portsOf) !== null
        : passageOn(draft.graph, on, spliced.component, portsOf) !== null;
    },
    [draft, portsOf],
  );
  const move = useCallback(
    (places: Readonly<Record<string, Point>>, onto: string | null) => {
      const [node] = Object.keys(places);
      const wire = onto === null ? null : wireOf(onto);
      const through = wire && draft && node && spliceOn(draft.graph, wire, node, portsOf);
      if (!through) edit(edits.moveNodes(places), "move");
      else {
        edit(
          edits.inTurn(
            edits.moveNodes(places),
            edits.splice(wire, node, through.into, through.out),
          ),
          "splice",
        );
        setSaid(text.announceSpliced(titleIn(draft, library, node)));
      }
    },
    [draft, edit, library, portsOf, text],
  );

  const add = (
    dragged: Dragged,
    at: Point,
    source: string | null = null,
    onto: string | null = null,
  ) => {
    if (!draft) return;
    const node = fromDragged(dragged);
    const id = edits.idFor(draft, node);
    const snapped = { x: Math.round(at.x / 10) * 10, y: Math.round(at.y / 10) * 10 };
    const steps = [edits.addNode(node, snapped)];
    if (source) {
      const out = library
        .get(findNode(draft.graph, parsePin(source).node)?.component ?? "")
        ?.outputs.find((p) => p.name === parsePin(source).port);
      const into = library.get(node.component)?.inputs.find((p) => p.type === out?.type);
      if (into) steps.push(edits.connect(source, `${id}.${into.name}`));
    }
    const wire = onto === null ? null : wireOf(onto);
    const through = wire && passageOn(draft.graph, wire, node.component, portsOf);
    if (through) steps.push(edits.splice(wire, id, through.into, through.out));
    edit(edits.inTurn(...steps), "add");
    select([id]);
    setSaid(through ? text.announceSpliced(dragged.title) : text.announceAdded(dragged.title));
  };

  const open = (panel: Panel) => {
    switch (panel) {
      case "add":
        setOutlined(false);
        setPalette({ at: middle(draft?.layout.positions ?? {}), source: null });
        break;
      case "find":
        setFinding(true);
        break;
      case "outline":
        setOutlined(!outlined);
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
    submit: (until) => {
      runs.submit(until);
      setSaid(text.runStarted);
    },
    stop: runs.cancel,
    open,
  };
  useKeys(here);

  if (!draft || !shown || !here) return null;
  const [only] = selected.size === 1 ? selected : [];

  return (
    <div className={classes.bench}>
      <Toolbar
        name={name}
        draftId={draftId}
        runs={runs}
        known={known}
        selected={only ?? null}
        here={here}
        outlined={outlined}
        onSaid={setSaid}
      />
      {outlined ? (
        <aside className={classes.palette} aria-label={text.outline}>
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
        <Palette
          library={library}
          pick={palette}
          sourceType={
            palette?.source
              ? (library
                  .get(findNode(draft.graph, parsePin(palette.source).node)?.component ?? "")
                  ?.outputs.find((p) => p.name === parsePin(palette.source ?? "").port)?.type ??
                null)
              : null
          }
          onAdd={(dragged) => {
            add(dragged, palette?.at ?? middle(draft.layout.positions), palette?.source);
            setPalette(null);
          }}
          onDone={() => {
            setPalette(null);
          }}
        />
      )}
      <div className={classes.canvas}>
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
          onMoveNotes={(notes) => {
            edit(edits.inTurn(...notes.map(edits.putNote)), "move");
          }}
          onNote={(note, burst) => {
            edit(edits.putNote(note), "note", burst);
          }}
          onGroup={(group, burst) => {
            edit(edits.putGroup(group), "group", burst);
          }}
          maySplice={maySplice}
          onOpen={openSettings}
          onMenu={(node, screen) => {
            if (!selected.has(node)) select([node]);
            setMenu(screen);
          }}
          onConnect={connect}
          mayConnect={(source, target) => refusal(draft.graph, source, target, portsOf) === null}
          onDrop={(dragged, at, onto) => {
            add(JSON.parse(dragged) as Dragged, at, null, onto);
          }}
          onWireToEmpty={(source, at) => {
            setOutlined(false);
            setPalette({ at, source });
          }}
          onAddAt={(at) => {
            setOutlined(false);
            setPalette({ at, source: null });
          }}
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
        node={only ?? null}
        draft={draft}
        library={library}
        runs={runs}
        known={known}
        lookAt={lookAt}
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

function titleIn(draft: Draft, library: ReadonlyMap<string, Drawn>, id: string): string {
  const node = findNode(draft.graph, id);
  return node ? node.title || (library.get(node.component)?.title ?? node.component) : id;
}

/** A wire by the id it has on the canvas. */
function wireOf(id: string): Wire | null {
  const [source, target] = id.split(" > ");
  return source !== undefined && target !== undefined ? { source, target } : null;
}

/** Where a node lands that was added without a pointer: below all others. */
function middle(positions: Readonly<Record<string, Point>>): Point {
  const places = Object.values(positions);
  if (places.length === 0) return { x: 200, y: 80 };
  return {
    x: places.reduce((sum, p) => sum + p.x, 0) / places.length,
    y: Math.max(...places.map((p) => p.y)) + 130,
  };
}

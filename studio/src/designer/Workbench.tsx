import { useComputedColorScheme } from "@mantine/core";
import { useCallback, useMemo, useState } from "react";
import { useLibrary } from "../api/queries";
import { Canvas } from "../canvas/Canvas";
import type { Drawn, Shown } from "../canvas/toFlow";
import { type PortsOf, refusal } from "../draft/connect";
import * as edits from "../draft/edits";
import { findNode, parsePin, type Point } from "../draft/graph";
import { useDraft } from "../draft/store";
import { useText } from "../text/useText";
import { BottomPanel } from "./BottomPanel";
import { Conflict } from "./Conflict";
import type { LookAt } from "./lookAt";
import { type Dragged, fromDragged, Palette } from "./Palette";
import { Properties } from "./Properties";
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
    () => draft && { draft, components, runs: runs.byNode, problems, selected },
    [draft, components, runs.byNode, problems, selected],
  );

  const select = useCallback((nodes: readonly string[], chosen: readonly string[] = []) => {
    setSelected(new Set(nodes));
    setWires(new Set(chosen));
  }, []);

  const titleOf = (id: string) => {
    const node = draft && findNode(draft.graph, id);
    return node ? node.title || (library.get(node.component)?.title ?? node.component) : id;
  };

  const add = (dragged: Dragged, at: Point, source: string | null = null) => {
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
    edit(edits.inTurn(...steps), "add");
    select([id]);
    setSaid(text.announceAdded(dragged.title));
  };

  const removeSelected = () => {
    if (selected.size === 0 && wires.size === 0) return;
    const cut = [...wires].map((wire) => {
      const [source = "", target = ""] = wire.split(" > ");
      return edits.disconnect(source, target);
    });
    edit(edits.inTurn(...cut, edits.removeNodes(selected)), "remove");
    setSaid(text.announceRemoved(selected.size));
    select([]);
  };

  useKeys({
    draft,
    selected,
    select,
    removeSelected,
    run: () => {
      runs.submit(null);
    },
    runTo: () => {
      const [only] = selected;
      if (only && selected.size === 1) runs.submit(only);
    },
    openPalette: () => {
      setPalette({ at: middle(draft?.layout.positions ?? {}), source: null });
    },
  });

  if (!draft || !shown) return null;
  const [only] = selected.size === 1 ? selected : [];

  return (
    <div className={classes.bench}>
      <Toolbar
        name={name}
        draftId={draftId}
        runs={runs}
        known={known}
        selected={only ?? null}
        onSaid={setSaid}
      />
      <Palette
        library={library}
        pick={palette}
        sourceType={
          palette?.source
            ? (library
                .get(findNode(draft.graph, parsePin(palette.source).node)?.component ?? "")
                ?.outputs.find((p) => p.name === parsePin(palette.source ?? "").port)?.type ?? null)
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
      <div className={classes.canvas}>
        <Canvas
          shown={shown}
          wires={wires}
          dark={dark}
          focus={focus}
          onSelect={select}
          onMove={(places) => {
            edit(edits.moveNodes(places), "move");
          }}
          onConnect={(source, target) => {
            edit(edits.connect(source, target), "connect");
            setSaid(
              text.announceConnected(
                titleOf(parsePin(source).node),
                titleOf(parsePin(target).node),
              ),
            );
          }}
          mayConnect={(source, target) => refusal(draft.graph, source, target, portsOf) === null}
          onDrop={(dragged, at) => {
            add(JSON.parse(dragged) as Dragged, at);
          }}
          onWireToEmpty={(source, at) => {
            setPalette({ at, source });
          }}
          onAddAt={(at) => {
            setPalette({ at, source: null });
          }}
        />
      </div>
      <Properties
        draft={draft}
        selected={selected}
        library={library}
        known={known}
        onFocus={(node) => {
          select([node]);
          setFocus({ node });
        }}
      />
      <BottomPanel
        node={only ?? null}
        draft={draft}
        library={library}
        runs={runs}
        known={known}
        lookAt={lookAt}
        onFocus={(node) => {
          select([node]);
          setFocus({ node });
        }}
      />
      <Conflict draftId={draftId} />
      <div className="visually-hidden" aria-live="polite">
        {said}
      </div>
    </div>
  );
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

import { ActionIcon, NativeSelect } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { type KeyboardEvent, useMemo, useRef } from "react";
import { categoryColour } from "../canvas/colours";
import { type NodeData, type Shown, toNodes } from "../canvas/toFlow";
import { type PortsOf, refusal } from "../draft/connect";
import { parsePin, type Wire } from "../draft/graph";
import { inOrder } from "../draft/walk";
import { useText } from "../text/useText";
import classes from "./Workbench.module.css";

interface Props {
  readonly shown: Shown;
  readonly portsOf: PortsOf;
  onFocus(node: string): void;
  onOpen(node: string): void;
  onConnect(source: string, target: string): void;
  onDisconnect(source: string, target: string): void;
}

/** The canvas as a list: the same nodes, states and wires, and the same things to do. */
export function Outline({ shown, portsOf, onFocus, onOpen, onConnect, onDisconnect }: Props) {
  const text = useText();
  const list = useRef<HTMLOListElement>(null);
  const { graph } = shown.draft;
  const data = useMemo(() => new Map(toNodes(shown).map((n) => [n.id, n.data])), [shown]);
  const order = useMemo(() => inOrder(shown.draft), [shown.draft]);
  const [first] = order.filter((id) => shown.selected.has(id));
  const current = first ?? order[0];

  const title = (id: string) => data.get(id)?.title ?? id;
  const port = (pin: string, side: "inputs" | "outputs") => {
    const { node, port: name } = parsePin(pin);
    const ports = data.get(node)?.[side] ?? [];
    // With one port only its name says nothing.
    const known = ports.find((p) => p.name === name)?.title ?? name;
    return ports.length > 1 ? `${title(node)} · ${known}` : title(node);
  };

  const keys = (event: KeyboardEvent, id: string) => {
    const place = order.indexOf(id);
    const goes: Readonly<Record<string, string | undefined>> = {
      ArrowDown: order[place + 1],
      ArrowUp: order[place - 1],
      Home: order[0],
      End: order.at(-1),
    };
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    if (event.key === "Enter") {
      event.preventDefault();
      onOpen(id);
      return;
    }
    const next = goes[event.key];
    if (next === undefined) return;
    event.preventDefault();
    onFocus(next);
    list.current
      ?.querySelector<HTMLElement>(`[data-step="${CSS.escape(next)}"]`)
      ?.focus({ preventScroll: false });
  };

  if (order.length === 0) return <div className={classes.category}>{text.outlineEmpty}</div>;
  return (
    <ol ref={list} className={classes.list} style={{ listStyle: "none", margin: 0 }}>
      {order.map((id) => {
        const node = data.get(id);
        if (!node) return null;
        const into = graph.wires.filter((w) => parsePin(w.target).node === id);
        const from = graph.wires.filter((w) => parsePin(w.source).node === id);
        const active = id === first;
        const told = state(node, text.status, text.notRun);
        return (
          <li key={id} className={classes.step} data-active={active || undefined}>
            <button
              type="button"
              data-step={id}
              className={classes.stepHead}
              aria-current={active}
              tabIndex={id === current ? 0 : -1}
              onKeyDown={(event) => {
                keys(event, id);
              }}
              onClick={() => {
                onFocus(id);
              }}
            >
              <span
                className={classes.dot}
                style={{ background: categoryColour(node.category) }}
                aria-hidden
              />
              <span className={classes.stepTitle}>{node.title}</span>
              <span className={classes.stepState}>
                {node.problems > 0 ? text.problemCount(node.problems) : told}
              </span>
            </button>
            <div className={classes.stepWires}>
              {node.inputs.length > 0 && (
                <Wires
                  label={text.outlineFrom}
                  wires={into}
                  spoken={(w) => port(w.source, "outputs")}
                  removable={active}
                  removeLabel={(w) =>
                    text.outlineDisconnect(port(w.source, "outputs"), port(w.target, "inputs"))
                  }
                  onRemove={onDisconnect}
                />
              )}
              {node.outputs.length > 0 && (
                <Wires
                  label={text.outlineTo}
                  wires={from}
                  spoken={(w) => port(w.target, "inputs")}
                  removable={active}
                  removeLabel={(w) =>
                    text.outlineDisconnect(port(w.source, "outputs"), port(w.target, "inputs"))
                  }
                  onRemove={onDisconnect}
                />
              )}
            </div>
            {active && (
              <div className={classes.stepPorts}>
                {node.outputs.map((out) => {
                  const source = `${id}.${out.name}`;
                  const targets = order
                    .flatMap((other) =>
                      (data.get(other)?.inputs ?? []).map((p) => `${other}.${p.name}`),
                    )
                    .filter(
                      (target) =>
                        refusal(graph, source, target, portsOf) === null &&
                        !from.some((w) => w.source === source && w.target === target),
                    );
                  return (
                    <NativeSelect
                      key={out.name}
                      size="xs"
                      aria-label={text.outlineConnect(out.title)}
                      // Never disabled: the focus would be lost with the last wire drawn.
                      value=""
                      data={[
                        { value: "", label: text.outlineConnect(out.title) },
                        ...targets.map((t) => ({ value: t, label: port(t, "inputs") })),
                      ]}
                      onChange={(event) => {
                        if (event.currentTarget.value) onConnect(source, event.currentTarget.value);
                      }}
                    />
                  );
                })}
              </div>
            )}
          </li>
        );
      })}
    </ol>
  );
}

function state(node: NodeData, names: Readonly<Record<string, string>>, notRun: string): string {
  return node.run ? (names[node.run.status] ?? node.run.status) : notRun;
}

interface WiresProps {
  readonly label: string;
  readonly wires: readonly Wire[];
  readonly removable: boolean;
  spoken(wire: Wire): string;
  removeLabel(wire: Wire): string;
  onRemove(source: string, target: string): void;
}

function Wires({ label, wires, removable, spoken, removeLabel, onRemove }: WiresProps) {
  const text = useText();
  if (!removable || wires.length === 0) {
    return (
      <div>
        {label}: {wires.map(spoken).join(", ") || text.outlineNothing}
      </div>
    );
  }
  return wires.map((wire) => (
    <div key={`${wire.source} > ${wire.target}`} className={classes.wireRow}>
      <span>
        {label}: {spoken(wire)}
      </span>
      <ActionIcon
        size="xs"
        variant="subtle"
        color="gray"
        aria-label={removeLabel(wire)}
        onClick={() => {
          onRemove(wire.source, wire.target);
        }}
      >
        <IconX size={12} />
      </ActionIcon>
    </div>
  ));
}

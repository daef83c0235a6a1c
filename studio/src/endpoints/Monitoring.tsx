import { SimpleGrid, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import type { Schemas } from "../api/client";
import { useText } from "../text/useText";
import { type Line, TimeChart } from "./TimeChart";
import { recent } from "./recent";

type Measured = Schemas["Measured"];

/** Seconds that are shown, and kept. */
const KEPT = 300;

/** Requests, latency, errors and replicas of an endpoint, second by second as they come. */
export function Monitoring({ name }: { readonly name: string }) {
  const text = useText();
  const [seconds, setSeconds] = useState<readonly Measured[]>([]);
  const [lost, setLost] = useState(false);

  useEffect(() => {
    const since = Date.now() / 1000 - KEPT;
    const address = `/api/endpoints/${encodeURIComponent(name)}/metrics/stream?since=${String(since)}`;
    const source = new EventSource(address);
    // What comes within a frame is drawn at once.
    let waiting: Measured[] = [];
    let frame = 0;
    source.onopen = () => {
      setLost(false);
    };
    source.onerror = () => {
      setLost(true);
    };
    source.onmessage = (message: MessageEvent<string>) => {
      const event = JSON.parse(message.data) as { kind: string } & Measured;
      if (event.kind !== "second") return;
      waiting.push(event);
      if (frame) return;
      frame = requestAnimationFrame(() => {
        frame = 0;
        const more = waiting;
        waiting = [];
        setSeconds((before) => {
          // After a lost connection the stream begins anew.
          const last = before.at(-1)?.at ?? 0;
          return recent(
            before,
            more.filter((one) => one.at > last),
            KEPT,
          );
        });
      });
    };
    return () => {
      cancelAnimationFrame(frame);
      source.close();
    };
  }, [name]);

  const now = seconds.at(-1);
  const rate = (one: Measured, count: number) => (one.seconds > 0 ? count / one.seconds : 0);
  const line = (label: string, colour: string, value: (one: Measured) => number | null): Line => ({
    label,
    colour,
    values: seconds.map(value),
  });
  const times = seconds.map((one) => one.at);
  const deployments = [...new Set(seconds.flatMap((one) => Object.keys(one.deployments)))];
  return (
    <>
      <Text size="sm" c="dimmed" mb="sm" role="status">
        {lost ? text.logLost : now ? text.monitoringLive : text.monitoringWaiting}
      </Text>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
        <TimeChart
          title={text.monitoringRequests}
          unit={text.perSecond}
          times={times}
          lines={
            deployments.length > 1
              ? deployments.map((number, place) =>
                  line(`#${number}`, SHADES[place % SHADES.length] ?? "#4c6ef5", (one) =>
                    rate(one, one.deployments[number] ?? 0),
                  ),
                )
              : [line(text.monitoringRequests, "#4c6ef5", (one) => rate(one, one.requests))]
          }
        />
        <TimeChart
          title={text.monitoringLatency}
          unit="ms"
          times={times}
          lines={[
            line("p50", "#0ca678", (one) => one.p50_ms),
            line("p99", "#e8590c", (one) => one.p99_ms),
          ]}
        />
        <TimeChart
          title={text.monitoringErrors}
          unit={text.perSecond}
          times={times}
          lines={[
            line(text.monitoringRefused, "#e8a200", (one) => rate(one, one.refused)),
            line(text.monitoringFailed, "#e03131", (one) => rate(one, one.failed)),
          ]}
        />
        <TimeChart
          title={text.monitoringReplicas}
          unit=""
          times={times}
          lines={[
            line(text.monitoringReplicas, "#7048e8", (one) => one.replicas),
            line(text.monitoringBusy, "#1c7ed6", (one) => one.busy),
            line(text.monitoringQueued, "#868e96", (one) => one.queued),
          ]}
        />
      </SimpleGrid>
    </>
  );
}

const SHADES = ["#4c6ef5", "#0ca678", "#e8590c", "#ae3ec9", "#e8a200"];

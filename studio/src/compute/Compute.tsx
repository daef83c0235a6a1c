import { Stack, Tabs, Title } from "@mantine/core";
import { useSearchParams } from "react-router";
import { useText } from "../text/useText";
import { InferenceClusters } from "./InferenceClusters";
import { RunClusters } from "./RunClusters";

/** Where runs are worked on, and where endpoints answer. */
export function Compute() {
  const text = useText();
  const [place, setPlace] = useSearchParams();
  return (
    <Stack maw={1120} mx="auto" p="xl" gap="lg">
      <Title order={1} size="h2">
        {text.compute}
      </Title>
      <Tabs
        value={place.get("tab") ?? "runs"}
        onChange={(tab) => {
          setPlace(tab && tab !== "runs" ? { tab } : {}, { replace: true });
        }}
        keepMounted={false}
      >
        <Tabs.List mb="md">
          <Tabs.Tab value="runs">{text.computeRuns}</Tabs.Tab>
          <Tabs.Tab value="inference">{text.computeInference}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="runs">
          <RunClusters />
        </Tabs.Panel>
        <Tabs.Panel value="inference">
          <InferenceClusters />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}

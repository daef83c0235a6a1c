import { Button, Group, JsonInput, Text } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, got, type Schemas } from "../api/client";
import { endpointSchemaQuery } from "../api/queries";
import { useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import { Waiting } from "../ui/Waiting";
import classes from "./endpoints.module.css";

type Inputs = Schemas["ScoreAsked"]["inputs"];

/** A request filled with sample rows, and what the endpoint answers. */
export function TryIt({ name }: { readonly name: string }) {
  const text = useText();
  const schema = useQuery(endpointSchemaQuery(name));
  const [typed, setTyped] = useState<string | null>(null);
  const score = useMutation({
    mutationFn: (inputs: Inputs) =>
      got<Schemas["Scored"]>(
        api.POST("/api/endpoints/{name}/score", { params: { path: { name } }, body: { inputs } }),
      ),
  });
  if (schema.error) {
    return <Refusal title={text.somethingWrong} error={schema.error} otherwise={text.offline} />;
  }
  if (!schema.data) return <Waiting />;
  const samples = Object.fromEntries(
    schema.data.inputs.map((input) => [input.name, input.samples.slice(0, 2)]),
  );
  const shown = typed ?? JSON.stringify(samples, null, 2);
  const inputs = parsed(shown);
  return (
    <div className={classes.try}>
      <div>
        <JsonInput
          label={text.testRequest}
          value={shown}
          onChange={setTyped}
          error={inputs === null ? text.testNotJson : null}
          rows={22}
          styles={{ input: { fontFamily: "ui-monospace, monospace", fontSize: 12 } }}
        />
        <Button
          mt="sm"
          size="xs"
          disabled={inputs === null}
          loading={score.isPending}
          onClick={() => {
            if (inputs) score.mutate(inputs);
          }}
        >
          {text.testSend}
        </Button>
      </div>
      <div aria-live="polite">
        <Group justify="space-between" mb={4}>
          <Text size="sm" fw={500}>
            {text.testReply}
          </Text>
          {score.data && (
            <Text size="xs" c="dimmed">
              {text.testTook(score.data.seconds * 1000)}
            </Text>
          )}
        </Group>
        {score.error && (
          <Refusal title={text.somethingWrong} error={score.error} otherwise={text.offline} />
        )}
        {score.data && (
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scrolled region must be reachable by keyboard
          <pre className={classes.log} role="region" aria-label={text.testReply} tabIndex={0}>
            {JSON.stringify(score.data.results, null, 2)}
          </pre>
        )}
      </div>
    </div>
  );
}

function parsed(text: string): Inputs | null {
  try {
    const found: unknown = JSON.parse(text);
    return found !== null && typeof found === "object" && !Array.isArray(found)
      ? (found as Inputs)
      : null;
  } catch {
    return null;
  }
}

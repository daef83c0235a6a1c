import { Button, FileButton, Group, JsonInput, SegmentedControl, Table, Text } from "@mantine/core";
import { IconFileUpload, IconSend } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, got, type Schemas } from "../api/client";
import { endpointSchemaQuery } from "../api/queries";
import { useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import { Waiting } from "../ui/Waiting";
import { RowForm } from "./RowForm";
import { type Row, rowsOfCsv, textOf } from "./rows";
import classes from "./endpoints.module.css";

type Inputs = Schemas["ScoreAsked"]["inputs"];
type Way = "form" | "json" | "csv";

interface Answered {
  readonly sent: Inputs;
  readonly scored: Schemas["Scored"];
  readonly roundTripMs: number;
}

/** A request made in a form, as JSON or from a file, and what the endpoint answers to it. */
export function TryIt({ endpoint }: { readonly endpoint: Schemas["Endpoint"] }) {
  const { name } = endpoint;
  const text = useText();
  const schema = useQuery(endpointSchemaQuery(name));
  const [way, setWay] = useState<Way>("form");
  const [rows, setRows] = useState<Readonly<Record<string, readonly Row[]>> | null>(null);
  const [typed, setTyped] = useState<string | null>(null);
  const [file, setFile] = useState<string | null>(null);
  const score = useMutation({
    mutationFn: async (sent: Inputs): Promise<Answered> => {
      const begun = performance.now();
      const scored = await got<Schemas["Scored"]>(
        api.POST("/api/endpoints/{name}/score", {
          params: { path: { name } },
          body: { inputs: sent },
        }),
      );
      return { sent, scored, roundTripMs: performance.now() - begun };
    },
  });
  if (schema.error) {
    return <Refusal title={text.somethingWrong} error={schema.error} otherwise={text.offline} />;
  }
  if (!schema.data) return <Waiting />;
  const { inputs } = schema.data;
  const samples = Object.fromEntries(
    inputs.map((input) => [input.name, input.samples.slice(0, 1)] as const),
  );
  const present = rows ?? samples;
  const shown = typed ?? JSON.stringify(present, null, 2);
  const parsed = way === "json" ? read(shown) : (present as unknown as Inputs);
  const [only] = inputs;
  const take = async (given: File | null) => {
    if (!given || !only) return;
    setRows({ [only.name]: rowsOfCsv(await given.text(), only.columns) });
    setTyped(null);
    setFile(given.name);
  };
  return (
    <div className={classes.try}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (parsed) score.mutate(parsed);
        }}
      >
        <Group justify="space-between" mb="sm">
          <SegmentedControl
            size="xs"
            aria-label={text.testWay}
            value={way}
            data={(["form", "json", "csv"] as const).map((value) => ({
              value,
              label: text.testWays[value],
              disabled: value === "csv" && inputs.length !== 1,
            }))}
            onChange={(value) => {
              if (way === "json" && parsed) setRows(parsed);
              setTyped(null);
              setWay(value as Way);
            }}
          />
          <Button
            type="submit"
            size="xs"
            leftSection={<IconSend size={14} />}
            disabled={parsed === null || endpoint.desired === "stopped"}
            loading={score.isPending}
          >
            {text.testSend}
          </Button>
        </Group>
        {way === "json" && (
          <JsonInput
            label={text.testRequest}
            value={shown}
            onChange={setTyped}
            error={parsed === null ? text.testNotJson : null}
            rows={22}
            styles={{ input: { fontFamily: "ui-monospace, monospace", fontSize: 12 } }}
          />
        )}
        {way === "form" &&
          inputs.map((input) => (
            <RowForm
              key={input.name}
              input={input}
              rows={present[input.name] ?? []}
              onChange={(changed) => {
                setRows({ ...present, [input.name]: changed });
              }}
            />
          ))}
        {way === "csv" && only && (
          <>
            <Group gap="sm" mb="sm">
              <FileButton accept=".csv,text/csv" onChange={(given) => void take(given)}>
                {(props) => (
                  <Button
                    {...props}
                    size="xs"
                    variant="default"
                    leftSection={<IconFileUpload size={14} />}
                  >
                    {text.testFile}
                  </Button>
                )}
              </FileButton>
              <Text size="sm" c="dimmed">
                {file ?? text.testFileHint}
              </Text>
            </Group>
            <Rows label={text.testRequest} rows={present[only.name] ?? []} />
          </>
        )}
      </form>
      <div aria-live="polite">
        {score.error && (
          <Refusal title={text.somethingWrong} error={score.error} otherwise={text.offline} />
        )}
        {score.data && <Reply answered={score.data} url={endpoint.scoring_url} />}
        {!score.data && !score.error && (
          <Text size="sm" c="dimmed">
            {text.testHint}
          </Text>
        )}
      </div>
    </div>
  );
}

interface ReplyProps {
  readonly answered: Answered;
  readonly url: string;
}

function Reply({ answered, url }: ReplyProps) {
  const text = useText();
  const [view, setView] = useState<"table" | "json" | "sent">("table");
  const { scored, sent, roundTripMs } = answered;
  const whole = {
    Results: scored.results,
    ...(scored.dropped.length ? { Dropped: scored.dropped } : {}),
  };
  return (
    <>
      <Group justify="space-between" mb="sm">
        <SegmentedControl
          size="xs"
          aria-label={text.testReply}
          value={view}
          data={(["table", "json", "sent"] as const).map((value) => ({
            value,
            label: text.testViews[value],
          }))}
          onChange={(value) => {
            setView(value as "table" | "json" | "sent");
          }}
        />
        <Text size="xs" c="dimmed" data-round-trip={roundTripMs}>
          {text.testTook(scored.seconds * 1000, roundTripMs)}
        </Text>
      </Group>
      {view === "table" &&
        Object.entries(scored.results).map(([output, rows]) => (
          <Rows key={output} label={output} rows={rows} />
        ))}
      {view === "table" && scored.dropped.length > 0 && (
        <Text size="sm" c="orange" mt="xs">
          {text.testDropped(scored.dropped.length)}
        </Text>
      )}
      {view !== "table" && (
        <pre
          className={classes.log}
          role="region"
          aria-label={text.testViews[view]}
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scrolled region must be reachable by keyboard
          tabIndex={0}
        >
          {view === "json"
            ? JSON.stringify(whole, null, 2)
            : `POST ${url}\nContent-Type: application/json\nAuthorization: Bearer …\n\n${JSON.stringify({ Inputs: sent, GlobalParameters: {} }, null, 2)}`}
        </pre>
      )}
    </>
  );
}

/** Rows with the columns that came last first: those are the scores. */
function Rows({ label, rows }: { readonly label: string; readonly rows: readonly Row[] }) {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const scored = names.filter((name) => /^(Scored |Assignments)/.test(name));
  const columns = [...scored, ...names.filter((name) => !scored.includes(name))];
  return (
    <div
      className={classes.replies}
      role="region"
      aria-label={label}
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scrolled region must be reachable by keyboard
      tabIndex={0}
    >
      <Table fz="xs" verticalSpacing={3} stickyHeader aria-label={label}>
        <Table.Thead>
          <Table.Tr>
            {columns.map((name) => (
              <Table.Th key={name} style={{ whiteSpace: "nowrap" }}>
                {name}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.slice(0, 200).map((row, place) => (
            <Table.Tr key={place}>
              {columns.map((name) => (
                <Table.Td
                  key={name}
                  fw={scored.includes(name) ? 600 : 400}
                  style={{ whiteSpace: "nowrap" }}
                >
                  {textOf(row[name])}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function read(text: string): Inputs | null {
  try {
    const found: unknown = JSON.parse(text);
    return found !== null && typeof found === "object" && !Array.isArray(found)
      ? (found as Inputs)
      : null;
  } catch {
    return null;
  }
}

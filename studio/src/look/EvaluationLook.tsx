import { Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Schemas } from "../api/client";
import { evaluationQuery } from "../api/queries";
import { useText } from "../text/useText";
import { Waiting } from "../ui/Waiting";
import { ConfusionMatrix } from "./ConfusionMatrix";
import { GroupsLook } from "./GroupsLook";
import { Plot } from "./Plot";
import {
  lines,
  pairs,
  type Plots,
  predictedActual,
  residuals,
  type Series,
  type TwoClassPlots,
} from "./plots";
import { ThresholdLook } from "./ThresholdLook";
import { readable } from "./values";
import classes from "./look.module.css";

interface Props {
  readonly runId: string;
  readonly node: string;
}

/** The figures and plots of an evaluating step, for one or two sets of scored rows. */
export function EvaluationLook({ runId, node }: Props) {
  const text = useText();
  const { data, error } = useQuery(evaluationQuery(runId, node));
  if (error) return <Text size="sm">{error.message || text.offline}</Text>;
  if (!data) return <Waiting />;
  const series = data.scored.map((rows, place) => ({
    name: data.scored.length > 1 ? `${rows.title} ${String(place + 1)}` : rows.title,
    plots: rows.plots as unknown as Plots,
  }));
  const twoClass = series.filter((s): s is Series<TwoClassPlots> => s.plots.task === "two-class");
  return (
    <Stack gap="md">
      {data.groups && (
        <Group align="flex-start" gap="xl">
          <GroupsLook
            groups={data.groups}
            names={Object.fromEntries(
              data.scored.map(({ port }, place) => [port, series[place]?.name ?? port]),
            )}
          />
        </Group>
      )}
      <Group align="flex-start" gap="xl">
        {data.metrics && <Figures metrics={data.metrics} names={series.map((s) => s.name)} />}
        {twoClass.length > 0 && <Curves series={twoClass} />}
        {series.map((one, place) => (
          <One key={place} series={one} named={series.length > 1} />
        ))}
      </Group>
    </Stack>
  );
}

function Figures(props: {
  readonly metrics: Schemas["MetricTable"];
  readonly names: readonly string[];
}) {
  const { metrics, names } = props;
  const text = useText();
  return (
    <table className={classes.metrics}>
      <caption>{text.metrics}</caption>
      {names.length > 1 && (
        <thead>
          <tr>
            <td />
            {names.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
      )}
      <tbody>
        {metrics.rows.map((row) => (
          <tr key={row.name}>
            <th scope="row">{row.name.replaceAll("_", " ")}</th>
            {row.values.map((value, place) => (
              <td key={metrics.columns[place] ?? place}>{readable(value)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Curves({ series }: { readonly series: readonly Series<TwoClassPlots>[] }) {
  const text = useText();
  const key = JSON.stringify(series.map((s) => s.name));
  const specs = useMemo(
    () => [
      [
        text.roc,
        lines(
          series,
          ({ roc }) => pairs(roc.false_positive_rate, roc.true_positive_rate),
          [text.falsePositiveRate, text.truePositiveRate],
          { even: true },
        ),
      ] as const,
      [
        text.precisionRecall,
        lines(series, ({ precision_recall: p }) => pairs(p.recall, p.precision), [
          text.recall,
          text.precision,
        ]),
      ] as const,
      [
        text.lift,
        lines(
          series,
          ({ lift }) => pairs(lift.share_of_rows, lift.lift),
          [text.shareOfRows, text.lift],
          { share: false },
        ),
      ] as const,
    ],
    // The plots of a run never change.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [key, text],
  );
  return specs.map(([title, spec]) => <Plot key={title} title={title} spec={spec} />);
}

/** A line of figures for each class or cluster. */
function Lines(props: {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly [name: string, figures: readonly unknown[]])[];
}) {
  const { title, columns, rows } = props;
  return (
    <table className={classes.metrics}>
      <caption>{title}</caption>
      <thead>
        <tr>
          <td />
          {columns.map((column) => (
            <th key={column} scope="col">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(([name, figures]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            {figures.map((figure, place) => (
              <td key={columns[place] ?? place}>{readable(figure)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function One({ series, named }: { readonly series: Series<Plots>; readonly named: boolean }) {
  const text = useText();
  const { plots, name } = series;
  const suffix = named ? ` · ${name}` : "";
  const specs = useMemo(
    () =>
      plots.task === "regression"
        ? ([
            [text.predictedActual, predictedActual(plots, [text.actual, text.predicted])],
            [text.residuals, residuals(plots, [text.residual, text.rowsTab])],
          ] as const)
        : [],
    [plots, text],
  );
  switch (plots.task) {
    case "regression":
      return specs.map(([title, spec]) => (
        <Plot key={title} title={`${title}${suffix}`} spec={spec} />
      ));
    case "two-class":
      return <ThresholdLook plots={plots} title={`${text.threshold}${suffix}`} />;
    case "multiclass":
      return (
        <>
          <ConfusionMatrix
            title={`${text.confusion}${suffix}`}
            classes={plots.confusion.classes.map(readable)}
            counts={plots.confusion.counts}
          />
          <Lines
            title={`${text.byClass}${suffix}`}
            columns={[text.rowsTab, text.precision, text.recall, "F1"]}
            rows={plots.classes.map((one) => [
              readable(one.class),
              [one.rows, one.precision, one.recall, one.f1_score],
            ])}
          />
        </>
      );
    case "clustering": {
      const [first = {}] = plots.clusters;
      const [named, ...columns] = Object.keys(first);
      return (
        <Lines
          title={`${text.byCluster}${suffix}`}
          columns={columns}
          rows={plots.clusters.map((one) => [
            readable(one[named ?? ""]),
            columns.map((column) => one[column] ?? null),
          ])}
        />
      );
    }
    case "quantile-regression":
      return (
        <table className={classes.metrics}>
          <caption>{`${text.coverage}${suffix}`}</caption>
          <tbody>
            {plots.coverage.map((row) => (
              <tr key={row.quantile}>
                <th scope="row">{readable(row.quantile)}</th>
                <td>{readable(row.share_below)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      );
  }
}

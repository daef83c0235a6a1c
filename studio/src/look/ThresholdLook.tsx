import { Slider } from "@mantine/core";
import { useState } from "react";
import { useText } from "../text/useText";
import { ConfusionMatrix } from "./ConfusionMatrix";
import type { TwoClassPlots } from "./plots";
import { readable } from "./values";
import classes from "./look.module.css";

interface Props {
  readonly title: string;
  readonly plots: TwoClassPlots;
}

/** The confusion matrix and what follows from it, for a threshold that is moved. */
export function ThresholdLook({ title, plots }: Props) {
  const text = useText();
  const last = plots.thresholds.length - 1;
  const [place, setPlace] = useState(Math.round(last / 2));
  const at = plots.thresholds[place];
  if (!at) return null;
  const figures = [
    [text.accuracy, at.accuracy],
    [text.precision, at.precision],
    [text.recall, at.recall],
    ["F1", at.f1_score],
  ] as const;
  return (
    <div className={classes.threshold}>
      <div className={classes.caption}>{`${title}: ${at.threshold.toFixed(2)}`}</div>
      <Slider
        size="sm"
        min={0}
        max={last}
        value={place}
        onChange={setPlace}
        label={null}
        thumbLabel={title}
        thumbProps={{ "aria-valuetext": at.threshold.toFixed(2) }}
        my="xs"
      />
      <ConfusionMatrix
        title={text.confusion}
        classes={[readable(plots.negative), readable(plots.positive)]}
        counts={[
          [at.true_negatives, at.false_positives],
          [at.false_negatives, at.true_positives],
        ]}
      />
      <dl className={classes.figures} aria-live="polite">
        {figures.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{readable(value)}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

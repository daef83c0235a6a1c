import { Badge, Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { artifactQuery } from "../api/queries";
import { useText } from "../text/useText";
import { Waiting } from "../ui/Waiting";
import { explanationIn } from "./explanation";
import { ExplanationLook } from "./ExplanationLook";
import { Learnt } from "./Learnt";

/** What a stored model, transformation or learner holds. */
export function ContentLook({ digest }: { readonly digest: string }) {
  const text = useText();
  const { data, error } = useQuery(artifactQuery(digest));
  if (error) return <Text size="sm">{error.message || text.offline}</Text>;
  if (!data) return <Waiting />;
  const { content } = data;
  if (content.kind === "table" || content.kind === "other" || content.kind === "files") {
    return <Learnt value={data.summary} name={data.title} />;
  }
  if (content.kind === "untrained-model") {
    return (
      <Stack gap="sm">
        <Text size="sm">{text.notTrained}</Text>
        <Learnt value={content.parameters} name={text.settingsOf} />
      </Stack>
    );
  }
  const told = explanationIn(content.learnt);
  return (
    <Stack gap="sm">
      <Group gap={6}>
        <Badge variant="light" tt="none">
          {content.made_by}
        </Badge>
        {content.kind === "model" && content.label && (
          <Badge variant="light" color="gray" tt="none">
            {`${text.predicts}: ${content.label.name}`}
          </Badge>
        )}
        <Badge variant="light" color="gray" tt="none">
          {text.reads(content.kind === "model" ? content.features.length : content.reads.length)}
        </Badge>
      </Group>
      {told && <ExplanationLook told={told} />}
      <Learnt
        value={told ? without(content.learnt, "explanation") : content.learnt}
        name={text.learnt}
      />
    </Stack>
  );
}

function without(fields: Readonly<Record<string, unknown>>, name: string) {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => key !== name));
}

import { Button, Group, Stack, TagsInput, Textarea, Title } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, got, type Schemas } from "../api/client";
import { useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";

/** What people say of an endpoint: its description and tags. */
export function About({ endpoint }: { readonly endpoint: Schemas["Endpoint"] }) {
  const text = useText();
  const cache = useQueryClient();
  const { name } = endpoint;
  const [description, setDescription] = useState(endpoint.description);
  const [tags, setTags] = useState(Object.entries(endpoint.tags).map(([k, v]) => `${k}=${v}`));
  const [touched, setTouched] = useState(false);
  const save = useMutation({
    mutationFn: () =>
      got<Schemas["Endpoint"]>(
        api.PATCH("/api/endpoints/{name}", {
          params: { path: { name } },
          body: {
            description,
            tags: Object.fromEntries(tags.map((tag) => tag.split(/=(.*)/s, 2) as [string, string])),
          },
        }),
      ),
    onSuccess: (now) => {
      cache.setQueryData(["endpoint", name], now);
      setTouched(false);
    },
  });
  return (
    <section aria-labelledby="about">
      <Title order={2} size="h5" id="about" mb="xs">
        {text.endpointAbout}
      </Title>
      <Stack gap="xs" maw={820}>
        <Textarea
          size="xs"
          label={text.deployDescription}
          autosize
          minRows={1}
          value={description}
          onChange={(event) => {
            setDescription(event.currentTarget.value);
            setTouched(true);
          }}
        />
        <TagsInput
          size="xs"
          label={text.deployTags}
          description={text.deployTagsHint}
          value={tags}
          onChange={(given) => {
            setTags(given.filter((tag) => /^[^=]+=/.test(tag)));
            setTouched(true);
          }}
        />
        {save.error && (
          <Refusal title={text.somethingWrong} error={save.error} otherwise={text.offline} />
        )}
        {touched && (
          <Group>
            <Button
              size="xs"
              loading={save.isPending}
              onClick={() => {
                save.mutate();
              }}
            >
              {text.save}
            </Button>
          </Group>
        )}
      </Stack>
    </section>
  );
}

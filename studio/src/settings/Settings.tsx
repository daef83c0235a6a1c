import {
  Group,
  SegmentedControl,
  Select,
  Stack,
  Text,
  Title,
  useMantineColorScheme,
} from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { sessionQuery } from "../api/queries";
import { type Language, languages, useLanguage, useText } from "../text/useText";
import { Tokens } from "./Tokens";

/** What this browser shows, and what lets programs in. */
export function Settings() {
  const text = useText();
  const { language, choose } = useLanguage();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const { data: session } = useQuery(sessionQuery);
  return (
    <Stack maw={820} mx="auto" p="xl" gap="xl">
      <Title order={1} size="h2">
        {text.settings}
      </Title>
      <section aria-labelledby="appearance">
        <Title order={2} size="h4" id="appearance" mb="sm">
          {text.appearance}
        </Title>
        <Group gap="xl" align="flex-end">
          <Select
            size="xs"
            w={200}
            label={text.language}
            data={Object.entries(languages).map(([value, label]) => ({ value, label }))}
            value={language}
            allowDeselect={false}
            onChange={(chosen) => {
              if (chosen) choose(chosen as Language);
            }}
          />
          <div>
            <Text size="xs" fw={500} mb={4} id="theme-label">
              {text.themeLabel}
            </Text>
            <SegmentedControl
              size="xs"
              aria-labelledby="theme-label"
              value={colorScheme}
              onChange={(chosen) => {
                setColorScheme(chosen as "light" | "dark" | "auto");
              }}
              data={[
                { value: "light", label: text.themes.light },
                { value: "dark", label: text.themes.dark },
                { value: "auto", label: text.themes.auto },
              ]}
            />
          </div>
        </Group>
      </section>
      <Tokens />
      {session && (
        <Text size="xs" c="dimmed">
          {text.appName} {session.version} · {session.person}
        </Text>
      )}
    </Stack>
  );
}

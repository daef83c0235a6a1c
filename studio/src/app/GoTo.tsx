import { Badge, Modal, useMantineColorScheme } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useNavigate } from "react-router";
import { api, got, type Schemas } from "../api/client";
import { datasetsQuery, draftsQuery, endpointsQuery } from "../api/queries";
import { languages, type Language, useLanguage, useText } from "../text/useText";
import { useCommands } from "../ui/commands";
import { SearchList } from "../ui/SearchList";
import { bySearch } from "./bySearch";
import { usePages } from "./pages";

interface Goal {
  readonly key: string;
  readonly kind: string;
  readonly title: string;
  readonly keys?: string;
  act(): void;
}

const MOST = 40;

const runsQuery = (search: string) => ({
  queryKey: ["run-names", search],
  queryFn: () =>
    got<Schemas["PageOf_RunSummary_"]>(
      api.GET("/api/runs", { params: { query: { search, limit: 15 } } }),
    ),
});

/** Go to anything, and run any command of the page that is open. */
export function GoTo({ onClose }: { readonly onClose: () => void }) {
  const text = useText();
  const navigate = useNavigate();
  const { choose } = useLanguage();
  const { setColorScheme } = useMantineColorScheme();
  const pages = usePages();
  const commands = useCommands((state) => state.commands);
  const [search, setSearch] = useState("");
  const drafts = useQuery(draftsQuery(""));
  const datasets = useQuery(datasetsQuery(""));
  const endpoints = useQuery({ ...endpointsQuery, refetchInterval: false });
  const runs = useQuery(runsQuery(search.trim()));

  const goals = useMemo<readonly Goal[]>(() => {
    const to = (kind: string, title: string, path: string): Goal => ({
      key: path,
      kind,
      title,
      act: () => void navigate(path),
    });
    return [
      ...commands.map(({ id, title, keys, act }) => ({
        key: `command ${id}`,
        kind: text.commandKind,
        title,
        ...(keys ? { keys } : {}),
        act,
      })),
      ...pages.map((page) => to(text.pageKind, page.title, page.path)),
      ...(drafts.data?.items ?? []).map((d) => to(text.pipelineKind, d.name, `/drafts/${d.id}`)),
      ...(datasets.data?.items ?? []).map((d) =>
        to(text.dataKind, d.name, `/data/sets/${encodeURIComponent(d.name)}`),
      ),
      ...(endpoints.data?.items ?? []).map((e) =>
        to(text.endpointKind, e.name, `/endpoints/${encodeURIComponent(e.name)}`),
      ),
      ...(runs.data?.items ?? []).map((r) => to(text.runKind, r.name, `/runs/${r.id}`)),
      ...(["light", "dark"] as const).map((scheme) => ({
        key: `theme ${scheme}`,
        kind: text.commandKind,
        title: text.themes[scheme],
        act: () => {
          setColorScheme(scheme);
        },
      })),
      ...Object.entries(languages).map(([code, name]) => ({
        key: `language ${code}`,
        kind: text.commandKind,
        title: `${text.language}: ${name}`,
        act: () => {
          choose(code as Language);
        },
      })),
    ];
  }, [commands, pages, drafts, datasets, endpoints, runs, navigate, text, setColorScheme, choose]);
  const found = useMemo(() => bySearch(goals, search).slice(0, MOST), [goals, search]);

  return (
    <Modal.Root opened onClose={onClose} size={560} padding={0} radius="md" yOffset="12vh">
      <Modal.Overlay />
      <Modal.Content aria-label={text.goTo}>
        <SearchList
          label={text.goToHint}
          listLabel={text.goTo}
          none={text.nothingFound}
          search={search}
          items={found.map((goal) => ({
            key: goal.key,
            title: goal.title,
            hint: goal.keys ?? "",
            mark: (
              <Badge size="sm" variant="light" color="gray" tt="none" w={96} fw={500}>
                {goal.kind}
              </Badge>
            ),
          }))}
          onSearch={setSearch}
          onChoose={(place) => {
            onClose();
            // The dialog gives the focus back first, so that the command can take it.
            setTimeout(() => found[place]?.act());
          }}
          onLeave={onClose}
        />
      </Modal.Content>
    </Modal.Root>
  );
}

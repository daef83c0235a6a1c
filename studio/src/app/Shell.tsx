import {
  ActionIcon,
  Group,
  Menu,
  Tooltip,
  UnstyledButton,
  useComputedColorScheme,
  useMantineColorScheme,
} from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import {
  IconLanguage,
  IconLogout,
  IconMoon,
  IconSearch,
  IconSun,
  IconTopologyStar3,
} from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useState } from "react";
import { Link, Navigate, Outlet, useLocation, useNavigate } from "react-router";
import { api, ApiError, onLoginNeeded } from "../api/client";
import { sessionQuery } from "../api/queries";
import { type Language, languages, useLanguage, useText } from "../text/useText";
import { Failure } from "../ui/Failure";
import { Waiting } from "../ui/Waiting";
import { NoticeCentre } from "./NoticeCentre";
import { type Page, usePages } from "./pages";
import classes from "./Shell.module.css";

const GoTo = lazy(() => import("./GoTo").then((m) => ({ default: m.GoTo })));

export function Shell() {
  const text = useText();
  const { pathname } = useLocation();
  const navigate = useNavigate();
  const cache = useQueryClient();
  const { choose } = useLanguage();
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("light");
  const session = useQuery(sessionQuery);

  const pages = usePages();
  const [going, setGoing] = useState(false);
  useHotkeys(
    [
      [
        "mod+K",
        () => {
          setGoing(true);
        },
      ],
    ],
    [],
    true,
  );

  useEffect(
    () =>
      onLoginNeeded(() => {
        void navigate("/login", { state: { from: pathname } });
      }),
    [navigate, pathname],
  );

  if (session.isPending) return <Waiting />;
  if (session.error instanceof ApiError && session.error.status === 401) {
    return <Navigate to="/login" state={{ from: pathname }} replace />;
  }
  if (session.error) {
    return (
      <Failure
        title={text.somethingWrong}
        message={text.offline}
        again={{ label: text.retry, act: () => void session.refetch() }}
      />
    );
  }

  const isAt = ({ path, also }: Page) =>
    path === "/"
      ? pathname === "/" || pathname.startsWith(also ?? path)
      : pathname.startsWith(path);
  const at = pages.find(isAt);
  return (
    <div className={classes.shell}>
      <title>{at ? `${at.title} · ${text.appName}` : text.appName}</title>
      <header className={classes.header}>
        <Link to="/" className={classes.brand}>
          <IconTopologyStar3 size={20} aria-hidden />
          {text.appName}
        </Link>
        <nav aria-label={text.navigation} className={classes.nav}>
          {pages.map((page) => (
            <Link key={page.path} to={page.path} aria-current={isAt(page) ? "page" : undefined}>
              {page.title}
            </Link>
          ))}
        </nav>
        <Group gap={4} ml="auto">
          <UnstyledButton
            className={classes.goTo}
            aria-label={text.goTo}
            onClick={() => {
              setGoing(true);
            }}
          >
            <IconSearch size={14} aria-hidden />
            {text.goToShort}
            <kbd>{`${text.keyNames.Mod ?? "Ctrl"} K`}</kbd>
          </UnstyledButton>
          <NoticeCentre />
          <Menu position="bottom-end">
            <Menu.Target>
              <Tooltip label={text.language}>
                <ActionIcon variant="subtle" color="gray" aria-label={text.language}>
                  <IconLanguage size={18} />
                </ActionIcon>
              </Tooltip>
            </Menu.Target>
            <Menu.Dropdown>
              {Object.entries(languages).map(([code, name]) => (
                <Menu.Item
                  key={code}
                  onClick={() => {
                    choose(code as Language);
                  }}
                >
                  {name}
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
          <Tooltip label={text.theme}>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={text.theme}
              onClick={() => {
                setColorScheme(scheme === "dark" ? "light" : "dark");
              }}
            >
              {scheme === "dark" ? <IconSun size={18} /> : <IconMoon size={18} />}
            </ActionIcon>
          </Tooltip>
          <Tooltip label={text.logOut}>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={text.logOut}
              onClick={() => {
                void api.DELETE("/api/session").finally(() => {
                  cache.clear();
                  void navigate("/login");
                });
              }}
            >
              <IconLogout size={18} />
            </ActionIcon>
          </Tooltip>
        </Group>
      </header>
      <main className={classes.main}>
        <Outlet />
      </main>
      {going && (
        <Suspense fallback={null}>
          <GoTo
            onClose={() => {
              setGoing(false);
            }}
          />
        </Suspense>
      )}
    </div>
  );
}

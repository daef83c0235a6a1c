import {
  ActionIcon,
  Group,
  Menu,
  Tooltip,
  useComputedColorScheme,
  useMantineColorScheme,
} from "@mantine/core";
import {
  IconLanguage,
  IconLogout,
  IconMoon,
  IconSun,
  IconTopologyStar3,
} from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { Link, Navigate, Outlet, useLocation, useNavigate } from "react-router";
import { api, ApiError, onLoginNeeded } from "../api/client";
import { sessionQuery } from "../api/queries";
import { type Language, languages, useLanguage, useText } from "../text/useText";
import { Failure } from "../ui/Failure";
import { Waiting } from "../ui/Waiting";
import classes from "./Shell.module.css";

export function Shell() {
  const text = useText();
  const { pathname } = useLocation();
  const navigate = useNavigate();
  const cache = useQueryClient();
  const { choose } = useLanguage();
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("light");
  const session = useQuery(sessionQuery);

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

  return (
    <div className={classes.shell}>
      <header className={classes.header}>
        <Link to="/" className={classes.brand}>
          <IconTopologyStar3 size={20} aria-hidden />
          {text.appName}
        </Link>
        <nav aria-label={text.navigation} className={classes.nav}>
          <Link
            to="/"
            aria-current={pathname === "/" || pathname.startsWith("/drafts") ? "page" : undefined}
          >
            {text.designer}
          </Link>
          <Link to="/data" aria-current={pathname.startsWith("/data") ? "page" : undefined}>
            {text.data}
          </Link>
          <Link to="/runs" aria-current={pathname.startsWith("/runs") ? "page" : undefined}>
            {text.runs}
          </Link>
          <Link
            to="/endpoints"
            aria-current={pathname.startsWith("/endpoints") ? "page" : undefined}
          >
            {text.endpoints}
          </Link>
        </nav>
        <Group gap={4} ml="auto">
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
    </div>
  );
}

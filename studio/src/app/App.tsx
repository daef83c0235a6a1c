import { createTheme, MantineProvider, Modal, Notification } from "@mantine/core";
import "@mantine/core/styles.css";
import { Notifications } from "@mantine/notifications";
import "@mantine/notifications/styles.css";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useMemo } from "react";
import { RouterProvider } from "react-router";
import { ApiError } from "../api/client";
import type { Text } from "../text/en";
import { useText } from "../text/useText";
import { readableColours } from "./colours";
import { router } from "./routes";
import "./app.css";

const theme = (text: Text) =>
  createTheme({
    components: {
      Modal: Modal.extend({
        defaultProps: { closeButtonProps: { "aria-label": text.close } },
      }),
      Notification: Notification.extend({
        defaultProps: { closeButtonProps: { "aria-label": text.close } },
      }),
    },
    primaryColor: "indigo",
    // White words on it are read easily: 4.5 to 1.
    primaryShade: { light: 7, dark: 8 },
    defaultRadius: "md",
    fontFamily: "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
    fontSizes: { xs: "12px", sm: "13px", md: "14px", lg: "16px", xl: "19px" },
    headings: { fontWeight: "650" },
  });

const client = new QueryClient({
  defaultOptions: {
    queries: {
      refetchOnWindowFocus: false,
      // What the server refuses it refuses again; only silence is worth another try.
      retry: (count, error) => !(error instanceof ApiError) && count < 3,
    },
  },
});

export function App() {
  const text = useText();
  const worded = useMemo(() => theme(text), [text]);
  return (
    <QueryClientProvider client={client}>
      <MantineProvider
        theme={worded}
        cssVariablesResolver={readableColours}
        defaultColorScheme="auto"
      >
        <Notifications position="bottom-right" />
        <RouterProvider router={router} />
      </MantineProvider>
    </QueryClientProvider>
  );
}

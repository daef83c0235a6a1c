// @vitest-environment jsdom
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

const asked: string[] = [];

/** A server that knows these connections, and nothing else. */
function serverWith(...names: string[]) {
  return (request: Request) => {
    asked.push(new URL(request.url).pathname);
    const items = names.map((name) => ({ name, kind: "database" }));
    const body = JSON.stringify({ items, next: null });
    return Promise.resolve(
      new Response(body, { status: 200, headers: { "content-type": "application/json" } }),
    );
  };
}

async function shown(value: string, onSet: (value: unknown, typing?: boolean) => void) {
  // Loaded late, so that its client speaks to the server above.
  const { ConnectionControl } = await import("./controls/ConnectionControl");
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient()}>
        <ConnectionControl
          label="Datastore"
          help="Name of a connection."
          error={null}
          required={false}
          value={value}
          onSet={onSet}
        />
      </QueryClientProvider>
    </MantineProvider>,
  );
  return screen.getByRole<HTMLInputElement>("combobox", { name: "Datastore" });
}

describe("the choice of a connection", () => {
  beforeEach(() => {
    asked.length = 0;
    vi.resetModules();
    vi.stubGlobal("fetch", serverWith("warehouse", "lake"));
    // A browser asks for what is named without a host where its page is; Node has no page.
    const Whole = Request;
    vi.stubGlobal(
      "Request",
      class extends Whole {
        constructor(place: string, init?: RequestInit) {
          super(new URL(place, "http://here"), init);
        }
      },
    );
    vi.stubGlobal("matchMedia", () => ({
      matches: false,
      addEventListener: () => undefined,
      removeEventListener: () => undefined,
    }));
    vi.stubGlobal(
      "ResizeObserver",
      class {
        observe() {}
        unobserve() {}
        disconnect() {}
      },
    );
    Element.prototype.scrollIntoView = () => undefined;
  });
  afterEach(() => {
    cleanup();
    vi.unstubAllGlobals();
  });

  it("offers the connections that the server knows, and sets the one that is clicked", async () => {
    const set: unknown[] = [];
    const field = await shown("", (value) => set.push(value));

    fireEvent.click(field);
    const offered = await screen.findAllByRole("option");
    expect(offered.map((option) => option.textContent)).toEqual(["warehouse", "lake"]);
    expect(asked).toEqual(["/api/connections"]);
    fireEvent.click(offered[1] as HTMLElement);

    expect(set).toEqual(["lake"]);
  });

  it("takes the name of a connection that is still to be made, as typing", async () => {
    const set: unknown[][] = [];
    const field = await shown("", (...given) => set.push(given));

    fireEvent.change(field, { target: { value: "orders" } });

    expect(set).toEqual([["orders", true]]);
  });

  it("shows the one that is set", async () => {
    const field = await shown("warehouse", () => undefined);

    expect(field.value).toBe("warehouse");
  });
});

// @vitest-environment jsdom
import { MantineProvider } from "@mantine/core";
import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Learnt } from "./Learnt";

beforeEach(() => {
  const media = { matches: false, addEventListener: vi.fn(), removeEventListener: vi.fn() };
  window.matchMedia = vi.fn(() => media) as never;
  window.ResizeObserver = vi.fn(
    class {
      observe = vi.fn();
      unobserve = vi.fn();
      disconnect = vi.fn();
    },
  ) as never;
  Element.prototype.scrollIntoView = vi.fn();
});

afterEach(cleanup);

const classes = [
  { class: "A", importance: [{ feature: "width", gain: 0.75 }] },
  { class: "B", importance: [{ feature: "height", gain: 0.5 }] },
];

it("shows what was learnt of one class at a time", () => {
  render(
    <MantineProvider env="test">
      <Learnt value={{ rows: 20, classes }} name="One-vs-All Multiclass" />
    </MantineProvider>,
  );
  expect(within(screen.getByRole("table", { name: "importance" })).getByText("width")).toBeTruthy();
  fireEvent.click(screen.getByRole("combobox", { name: "classes (2)" }));
  fireEvent.click(screen.getByRole("option", { name: "B" }));
  const table = within(screen.getByRole("table", { name: "importance" }));
  expect(table.getByText("height")).toBeTruthy();
  expect(table.getByText("0.5")).toBeTruthy();
  expect(table.queryByText("width")).toBeNull();
});

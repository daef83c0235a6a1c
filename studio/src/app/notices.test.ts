// @vitest-environment jsdom
import { beforeEach, describe, expect, it } from "vitest";
import { useNotices } from "./notices";

const told = (id: string) => {
  useNotices.getState().tell({ id, at: "", title: id, tone: "plain", to: null });
};

describe("notices", () => {
  beforeEach(() => {
    useNotices.getState().clear();
  });

  it("are told once each, the latest first", () => {
    told("a");
    told("b");
    told("a");
    expect(useNotices.getState().notices.map((n) => n.id)).toEqual(["b", "a"]);
  });

  it("outlive the page, and are not endless", () => {
    for (let place = 0; place < 60; place += 1) told(String(place));
    useNotices.getState().readAll();
    const stored = JSON.parse(localStorage.getItem("modelwright-notices") ?? "[]") as {
      id: string;
      read: boolean;
    }[];
    expect(stored).toHaveLength(50);
    expect(stored[0]).toMatchObject({ id: "59", read: true });
  });
});

/** The wires that lie under a box on the screen, those under its middle first. */
export function wiresUnder(box: DOMRect): string[] {
  const x = box.x + box.width / 2;
  const y = box.y + box.height / 2;
  const points = [
    [x, y],
    [x, y - box.height * 0.3],
    [x, y + box.height * 0.3],
    [x - box.width * 0.3, y],
    [x + box.width * 0.3, y],
  ] as const;
  const found = new Set<string>();
  for (const [left, top] of points) {
    for (const element of document.elementsFromPoint(left, top)) {
      const wire = element.closest<SVGElement>(".react-flow__edge")?.dataset.id;
      if (wire !== undefined) found.add(wire);
    }
  }
  return [...found];
}

/**
 * Search on the canvas: `TEXT`, `FILTERS` or `TEXT | FILTERS`. A text has words, AND, OR,
 * parentheses, ? and *; filters are `key operator value`, separated by semicolons.
 */

export interface Searched {
  readonly id: string;
  /** Title, component, comment and settings, as one text. */
  readonly text: string;
  /** What filters ask for, such as status, duration and component. */
  readonly facts: Readonly<Record<string, string>>;
}

type Test = (node: Searched) => boolean;

/** The nodes that fit, in their order; null when nothing is searched for. */
export function search(query: string, nodes: readonly Searched[]): readonly string[] | null {
  if (!query.trim()) return null;
  const test = parsed(query);
  return nodes.filter(test).map((node) => node.id);
}

function parsed(query: string): Test {
  const whole = filters(query);
  if (whole) return whole;
  const bar = query.lastIndexOf("|");
  const behind = bar < 0 ? null : filters(query.slice(bar + 1));
  if (!behind) return words(query);
  const before = query.slice(0, bar).trim();
  const text = before ? words(before) : () => true;
  return (node) => text(node) && behind(node);
}

const FILTER = /^\s*([A-Za-z]\w*)\s*(>=|<=|==|!=|>|<|=|\bin\b)\s*(.+?)\s*$/;

/** Filters are all of them true; null when the text is none. */
function filters(text: string): Test | null {
  const tests: Test[] = [];
  for (const part of text.split(";")) {
    if (!part.trim()) continue;
    const [, key = "", operator = "", value = ""] = FILTER.exec(part) ?? [];
    const test = operator && comparison(operator, value);
    if (!test) return null;
    tests.push((node) => {
      const fact = node.facts[key.toLowerCase()];
      return fact === undefined ? operator === "!=" : test(fact.toLowerCase());
    });
  }
  return tests.length > 0 ? (node) => tests.every((test) => test(node)) : null;
}

function comparison(operator: string, value: string): ((fact: string) => boolean) | null {
  const wanted = value.toLowerCase();
  const number = Number(value);
  switch (operator) {
    case ">=":
      return (fact) => Number(fact) >= number;
    case "<=":
      return (fact) => Number(fact) <= number;
    case ">":
      return (fact) => Number(fact) > number;
    case "<":
      return (fact) => Number(fact) < number;
    case "==":
      return (fact) => fact === wanted;
    case "!=":
      return (fact) => fact !== wanted;
    case "=":
      return (fact) => fact.includes(wanted);
    default: {
      const set = /^\{(.*)\}$/.exec(wanted)?.[1]?.split(",");
      const members = new Set(set?.map((one) => one.trim()));
      return set ? (fact) => members.has(fact) : null;
    }
  }
}

/** Words beside each other are all wanted, as with AND; OR binds less than AND. */
function words(text: string): Test {
  const tokens = text.match(/[()]|[^\s()]+/g) ?? [];
  let place = 0;
  const either = (): Test => {
    const tests = [both()];
    while (tokens[place] === "OR") {
      place += 1;
      tests.push(both());
    }
    return (node) => tests.some((test) => test(node));
  };
  const both = (): Test => {
    const tests: Test[] = [];
    for (;;) {
      const token = tokens[place];
      if (token === undefined || token === "OR" || token === ")") break;
      place += 1;
      if (token === "AND") continue;
      if (token === "(") {
        tests.push(either());
        // A bracket that is still open while the user types is closed at the end.
        if (tokens[place] === ")") place += 1;
      } else tests.push(word(token));
    }
    return (node) => tests.every((test) => test(node));
  };
  const test = either();
  return test;
}

function word(token: string): Test {
  const pattern = token
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*/g, "\\S*")
    .replace(/\?/g, "\\S");
  const expression = new RegExp(pattern, "i");
  return (node) => expression.test(node.text);
}

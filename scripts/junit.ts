/** Test results as Bun and Node write them: JUnit's XML, in which a `testcase` holds `failure`, `error`, `skipped` or nothing. */

/** One test and how it ended. */
export interface TestResult {
  /** The names of its groups and its own, joined by ` > `. */
  readonly name: string;
  /** The test file as the runner wrote it; empty where it did not. */
  readonly file: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function decode(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (name !== undefined) return entities[name] ?? whole;
    return String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
  });
}

function attributesOf(text: string): Readonly<Record<string, string>> {
  const pairs = [...text.matchAll(/([\w:-]+)="([^"]*)"/g)];
  return Object.fromEntries(pairs.map(([, name = '', value = '']) => [name, decode(value)]));
}

function outcomeOf(body: string): TestResult['outcome'] {
  const child = /<(failure|error|skipped)[\s/>]/.exec(body)?.[1];
  if (child === undefined) return 'passed';
  return child === 'skipped' ? 'skipped' : 'failed';
}

/** The tests in a JUnit file's text. Bun writes the groups innermost first in `classname`, Node writes only `test`. */
export function readJunit(xml: string): readonly TestResult[] {
  const testcase = /<testcase((?:\s+[\w:-]+="[^"]*")*)\s*(?:\/>|>([\s\S]*?)<\/testcase>)/g;
  return [...xml.matchAll(testcase)].map(([, attributes = '', body = '']) => {
    const { name = '', classname = '', file = '' } = attributesOf(attributes);
    const groups = classname === '' || classname === 'test' ? [] : classname.split(' > ').reverse();
    return { name: [...groups, name].join(' > '), file, outcome: outcomeOf(body) };
  });
}

/** The test files, and what each says about itself in comment lines near its top. */
import { readFileSync } from 'node:fs';
import { root } from '../process.ts';

/** A kernel that root tests run on: the machine's own, or the user-mode one (second-kernel.ts). */
export type Kernel = 'first' | 'second';

/** A test file that runs as root. */
export interface RootTestFile {
  /** From the repository's root. */
  readonly path: string;
  /** `// packages: NAME …`: Debian packages that it needs. */
  readonly packages: readonly string[];
  /** `// prepare: PATH`: the modules (paths from the root) whose `prepare(say)` runs before, outside any sandbox. */
  readonly prepare: readonly string[];
  /** `// kernels: first, second`: where it runs; on the first only if it does not say. */
  readonly kernels: readonly Kernel[];
  /** `// alone`: nothing runs beside it, because it measures time or changes what machines have once (control groups). */
  readonly alone: boolean;
  /** `// seconds: N`: how long it may take on the machine's own kernel; 120 if it does not say. */
  readonly seconds: number;
}

const kernels: readonly Kernel[] = ['first', 'second'];

function globbed(pattern: string): string[] {
  return [...new Bun.Glob(pattern).scanSync({ cwd: root })].sort();
}

/** The files that run without root: beside what they test. */
export function unitTestFiles(): readonly string[] {
  return ['src/**/*.test.ts', 'scripts/**/*.test.ts', 'bench/**/*.test.ts'].flatMap(globbed);
}

/** Those of them that run on Node too: the code that is published for it. */
export function runsOnNode(path: string): boolean {
  return /^src\/(lib|cni)\//.test(path);
}

/** The files that run as root, in a sandbox each. */
export function rootTestFiles(): readonly RootTestFile[] {
  return globbed('test/**/*.test.ts').map((path) =>
    readDeclarations(path, readFileSync(`${root}/${path}`, 'utf8')),
  );
}

/** The packages that the helpers in test/support need, whichever test uses them. */
export function supportPackages(): readonly string[] {
  const texts = globbed('test/support/*.ts').map((path) => readFileSync(`${root}/${path}`, 'utf8'));
  return texts.flatMap((text) => words(declared(text, 'packages')));
}

/** Reads a root test file's declarations. @throws Error for a kernel or a number that there is not */
export function readDeclarations(path: string, text: string): RootTestFile {
  const named = words(declared(text, 'kernels') ?? 'first').map((word) => {
    const kernel = kernels.find((each) => each === word);
    if (kernel === undefined) throw new Error(`${path}: "// kernels:" takes first and second, got "${word}"`);
    return kernel;
  });
  const seconds = Number(declared(text, 'seconds') ?? '120');
  if (!(seconds > 0)) throw new Error(`${path}: "// seconds:" takes a number above 0`);
  const alone = /^\/\/ alone\b/m.test(text);
  const [packages, prepare] = [words(declared(text, 'packages')), words(declared(text, 'prepare'))];
  return {
    path,
    packages,
    prepare,
    kernels: named,
    alone,
    seconds,
  };
}

function declared(text: string, name: string): string | undefined {
  return new RegExp(`^// ${name}: (.*)$`, 'm').exec(text)?.[1];
}

function words(text = ''): readonly string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '');
}

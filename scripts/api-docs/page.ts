/** A page of the API reference: what one door lets out, file by file. */
import type { Project } from 'typescript/unstable/async';
import { aboutFile, type Exported, exportsOf } from './door.ts';

/** A door: how it is imported, its module, and the page that is about it. */
export interface Door {
  readonly name: string;
  readonly module: string;
  readonly page: string;
}

/** Folders of src/ in the order of the pages: what the door is for first. */
const order = ['plugin', 'testing', 'cni', 'kernel', 'lib'];

/** The page in Markdown. @throws Error naming what has no doc comment */
export async function pageOf(project: Project, { name, module }: Door): Promise<string> {
  const exported = await exportsOf(project, module);
  const silent = exported.filter(({ about }) => about === '').map((one) => `${one.name} (${one.file})`);
  if (silent.length > 0) throw new Error(`${name}: no doc comment for ${silent.join(', ')}`);
  const files = [...new Set(exported.map(({ file }) => file))].sort(byFolder);
  const sections = await Promise.all(
    files.map((file) =>
      section(
        project,
        file,
        exported.filter((one) => one.file === file),
      ),
    ),
  );
  const head = `# ${name}\n\n<!-- made from the doc comments by npm run docs; a test holds it against them -->\n`;
  return [head, await aboutFile(project, module), '', contents(files, exported), ...sections].join('\n');
}

function byFolder(one: string, other: string): number {
  const place = (file: string) => order.indexOf(file.split('/')[1] ?? '');
  return place(one) - place(other) || (one < other ? -1 : 1);
}

/** A file's place on the page: `plugin/links`. */
function title(file: string): string {
  return file.replace(/^src\//, '').replace(/\.ts$/, '');
}

function contents(files: readonly string[], exported: readonly Exported[]): string {
  const line = (file: string) => {
    const names = sorted(exported, file).map(({ name }) => `\`${name}\``);
    return `- [${title(file)}](#${title(file).replaceAll(/[^\w-]/g, '')}): ${names.join(', ')}`;
  };
  return `${files.map(line).join('\n')}\n`;
}

function sorted(exported: readonly Exported[], file: string): readonly Exported[] {
  return exported.filter((one) => one.file === file).toSorted((one, other) => one.position - other.position);
}

async function section(project: Project, file: string, exported: readonly Exported[]): Promise<string> {
  const entries = sorted(exported, file).map(
    ({ name, about, declaration }) => `### ${name}\n\n${about}\n\n\`\`\`ts\n${declaration}\n\`\`\`\n`,
  );
  return [`## ${title(file)}\n`, `${await aboutFile(project, file)}\n`, ...entries].join('\n');
}

/** What a door of the package (an entry of `exports`) lets out, as the compiler sees it. */

import type { Node, SourceFile } from 'typescript/unstable/ast';
import { SyntaxKind } from 'typescript/unstable/ast';
import type { Checker, Project, Symbol as TsSymbol } from 'typescript/unstable/async';
import { SymbolFlags } from 'typescript/unstable/async';
import { root } from '../process.ts';

/** One thing that is exported. */
export interface Exported {
  /** As it is imported: `openContainer`, `rtnetlink.createLink`. */
  readonly name: string;
  /** Its source file, from the repository's root, and where it stands in it. */
  readonly file: string;
  readonly position: number;
  /** Its doc comment, in Markdown; empty if there is none. */
  readonly about: string;
  /** Its declaration, without a body. */
  readonly declaration: string;
}

/** Everything that a module exports. */
export async function exportsOf(project: Project, file: string): Promise<readonly Exported[]> {
  const source = await sourceFile(project, file);
  const module = await project.checker.getSymbolAtLocation(source);
  if (module === undefined) throw new Error(`${file} is no module`);
  return membersOf(project, module, '');
}

/** The comment that a file begins with: what it is about. */
export async function aboutFile(project: Project, file: string): Promise<string> {
  const { text } = await sourceFile(project, file);
  const comment = /^\/\*\*([\s\S]*?)\*\//.exec(text)?.[1] ?? '';
  return comment.replaceAll(/^ *\* ?/gm, '').trim();
}

async function sourceFile({ program }: Project, file: string): Promise<SourceFile> {
  const source = await program.getSourceFile(`${root}/${file}`);
  if (source === undefined) throw new Error(`the compiler does not know ${file}`);
  return source;
}

async function membersOf(project: Project, module: TsSymbol, before: string): Promise<readonly Exported[]> {
  const { checker } = project;
  const found: Exported[] = [];
  for (const symbol of await checker.getExportsOfModule(module)) {
    const isAlias = (symbol.flags & SymbolFlags.Alias) !== 0;
    const target = isAlias ? await checker.getAliasedSymbol(symbol) : symbol;
    const name = `${before}${symbol.name}`;
    if ((target.flags & SymbolFlags.ValueModule) !== 0) {
      found.push(...(await membersOf(project, target, `${name}.`)));
    } else {
      found.push(await describe(project, name, target));
    }
  }
  return found;
}

async function describe(project: Project, name: string, symbol: TsSymbol): Promise<Exported> {
  const node = await symbol.declarations[0]?.resolve(project);
  if (node === undefined) throw new Error(`${name} is declared nowhere`);
  return {
    name,
    file: node.getSourceFile().fileName.slice(root.length + 1),
    position: node.getStart(),
    about: (await symbol.getDocumentationComment(project.checker)).trim(),
    declaration: await declarationOf(project.checker, symbol, node),
  };
}

interface WithBody {
  readonly body?: Node;
}

/** The text of a declaration without what only its author needs: bodies, `export`, `async`. */
async function declarationOf(checker: Checker, symbol: TsSymbol, node: Node): Promise<string> {
  if (node.kind === SyntaxKind.VariableDeclaration) {
    const type = await checker.getTypeOfSymbol(symbol);
    const text = type === undefined ? 'unknown' : await checker.typeToString(type, node);
    return `const ${symbol.name}: ${text}`;
  }
  if (node.kind === SyntaxKind.ClassDeclaration) return classText(node);
  return plain(withoutBody(node));
}

function classText(node: Node): string {
  const { members = [] } = node as Node & { members?: readonly Node[] };
  const [first] = members;
  const head = node
    .getText()
    .slice(0, first === undefined ? undefined : first.getFullStart() - node.getStart());
  const lines = members.map(
    (member) =>
      `${member.getSourceFile().text.slice(member.getFullStart(), member.getStart())}${withoutBody(member)}`,
  );
  return plain(`${head.trimEnd()}${lines.join('')}${first === undefined ? '' : '\n}'}`);
}

function withoutBody(node: Node): string {
  const { body } = node as WithBody;
  if (body === undefined) return node.getText();
  return node
    .getText()
    .slice(0, body.getStart() - node.getStart())
    .trimEnd();
}

function plain(text: string): string {
  return text.replace(/^export /, '').replace(/^async /, '');
}

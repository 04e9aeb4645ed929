/** Pages of docs, taken apart: the tests run what they say. docs/containerd.md where no other is named. */
import { readFileSync } from 'node:fs';

/** A fenced block. */
export interface Block {
  /** The heading of the section that it is in. */
  readonly section: string;
  /** Its first word: `sh`, `json`, `toml`. */
  readonly language: string;
  /** What file it is: `title="PATH"`; empty where it does not say. */
  readonly title: string;
  readonly text: string;
}

/** Every block of the page, in order. */
export function pageBlocks(name = 'containerd.md'): readonly Block[] {
  const page = readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
  return page.split(/^## /m).flatMap((part) => {
    const section = part.slice(0, part.indexOf('\n'));
    const found = part.matchAll(/^```(\w+)(?: title="(.*?)")?\n(.*?)^```$/gms);
    return [...found].map(([, language = '', title = '', text = '']) => ({ section, language, title, text }));
  });
}

/** The block that is this file. @throws Error where there is none, or more */
export function fileBlock(title: string, page = 'containerd.md'): string {
  const [found, ...more] = pageBlocks(page).filter((block) => block.title === title);
  if (found === undefined || more.length > 0) throw new Error(`docs/${page}: not one block "${title}"`);
  return found.text;
}

/** The command lines of a section, one list a block. */
export function commandBlocks(section: string, page = 'containerd.md'): readonly (readonly string[])[] {
  const blocks = pageBlocks(page).filter((block) => block.section === section && block.language === 'sh');
  if (blocks.length === 0) throw new Error(`docs/${page}: no commands in "${section}"`);
  return blocks.map(({ text }) => text.split('\n').filter((line) => line !== ''));
}

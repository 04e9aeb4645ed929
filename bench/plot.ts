/** The results as a picture: a bar is Fairlead's time as a part of the reference's, which is the whole width. */
import { number } from './report.ts';
import { type Comparison, type Growth, growthOf, type Results } from './rows.ts';

const width = 1000;
const left = 440;
const right = 150;
const bar = width - left - right;
const rowHeight = 34;
const colours = {
  ours: '#1f6feb',
  served: '#2da44e',
  floor: '#0b3d91',
  whole: '#d8dee4',
  goal: '#cf222e',
  text: '#1f2328',
  muted: '#59636e',
};

/** An SVG of all comparisons and growths. */
export function plot(results: Results): string {
  const comparisons = results.comparisons.map((row, index) => comparison(row, 70 + index * rowHeight));
  const growthTop = 70 + results.comparisons.length * rowHeight + 70;
  const largest = Math.max(...results.growths.map(({ large }) => large));
  const growths = results.growths.map((row, index) => growth(row, growthTop + index * rowHeight, largest));
  const height = growthTop + results.growths.length * rowHeight + 20;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="13" fill="${colours.text}">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    heading(24, 'Fairlead beside the reference plugins'),
    legend(48),
    ...comparisons,
    heading(growthTop - 40, 'host-local with 40,000 reservations'),
    text(
      20,
      growthTop - 20,
      'bar: time with 40,000 (longest is the whole width) · right: and how many times that with 10 is',
      colours.muted,
    ),
    ...growths,
    '</svg>',
    '',
  ].join('\n');
}

function comparison(row: Comparison, y: number): string {
  const { what, fairlead, served, reference, unit, goal, floor } = row;
  const lengthOf = (ms: number) => bar * Math.min(ms / reference, 1.2);
  const ours = lengthOf(fairlead);
  return [
    text(20, y + 17, plain(what)),
    rect(left, y + 4, bar, 18, colours.whole),
    rect(left, y + 4, ours, 18, colours.ours),
    ...(floor === undefined
      ? []
      : [rect(left, y + 4, Math.min(bar * (floor / reference), ours), 18, colours.floor)]),
    rect(left, y + 16, lengthOf(served), 6, colours.served),
    ...(goal === undefined ? [] : [rect(left + bar * goal - 1, y, 2, 26, colours.goal)]),
    text(left + bar + 12, y + 17, [fairlead, served, reference].map(number).join(' : ').concat(` ${unit}`)),
  ].join('\n');
}

function growth(row: Growth, y: number, largest: number): string {
  const colour = row.contender === 'fairlead' ? colours.ours : colours.muted;
  return [
    text(20, y + 17, `${plain(row.what)}, ${row.contender}`),
    rect(left, y + 4, Math.max(bar * (row.large / largest), 1), 18, colour),
    text(left + bar + 12, y + 17, `${number(row.large)} ms, × ${number(growthOf(row))}`),
  ].join('\n');
}

function legend(y: number): string {
  const entries: [colour: string, label: string][] = [
    [colours.whole, 'reference'],
    [colours.ours, 'Fairlead'],
    [colours.served, 'with fairlead serve'],
    [colours.floor, 'the floor: empty start and kernel'],
    [colours.goal, 'goal'],
  ];
  let x = 20;
  return entries
    .map(([colour, label]) => {
      const drawn = `${rect(x, y - 10, 12, 12, colour)}${text(x + 18, y, label, colours.muted)}`;
      x += 40 + label.length * 7;
      return drawn;
    })
    .join('\n');
}

function heading(y: number, content: string): string {
  return `<text x="20" y="${y}" font-size="16" font-weight="600">${escapeXml(content)}</text>`;
}

function text(x: number, y: number, content: string, fill = colours.text): string {
  return `<text x="${x}" y="${y}" fill="${fill}">${escapeXml(content)}</text>`;
}

function rect(x: number, y: number, w: number, h: number, fill: string): string {
  return `<rect x="${x}" y="${y}" width="${w.toFixed(1)}" height="${h}" fill="${fill}"/>`;
}

function plain(markdown: string): string {
  return markdown.replaceAll('`', '');
}

function escapeXml(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** A container image made on this machine, of Debian's static busybox: nothing is pulled. */
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { output } from './program.ts';

/** The image's name. It is the Pods' own (pause) container as well: what it runs by itself is a sleep. */
export const imageName = 'localhost/fairlead-test:1';

const busybox = '/bin/busybox';
const applets = ['sh', 'sleep', 'ip', 'ping', 'readlink', 'timeout'];

/** Puts a blob where an OCI layout has it, under the SHA-256 of its content. */
function addBlob(layout: string, content: Uint8Array): { digest: string; size: number } {
  const hash = createHash('sha256').update(content).digest('hex');
  writeFileSync(`${layout}/blobs/sha256/${hash}`, content);
  return { digest: `sha256:${hash}`, size: content.length };
}

function addJson(layout: string, value: object): { digest: string; size: number } {
  return addBlob(layout, new TextEncoder().encode(JSON.stringify(value)));
}

/** The only layer: busybox, and a link to it for each applet that is used. */
async function layer(directory: string): Promise<Uint8Array> {
  const rootfs = `${directory}/rootfs`;
  for (const path of ['bin', 'tmp', 'etc', 'proc', 'sys', 'dev', 'www']) {
    mkdirSync(`${rootfs}/${path}`, { recursive: true });
  }
  copyFileSync(busybox, `${rootfs}/bin/busybox`);
  for (const name of applets) await output(['ln', '-s', 'busybox', `${rootfs}/bin/${name}`]);
  const file = `${directory}/layer.tar`;
  await output(['tar', '--create', '--owner=0', '--group=0', `--directory=${rootfs}`, `--file=${file}`, '.']);
  return readFileSync(file);
}

/**
 * Writes the image as a tar file that `ctr images import` takes.
 * Layout, media types and fields: the OCI image specification 1.0; the name's annotation: containerd's own.
 */
export async function writeImage(directory: string, file: string): Promise<void> {
  const layout = `${directory}/layout`;
  mkdirSync(`${layout}/blobs/sha256`, { recursive: true });
  const filesystem = addBlob(layout, await layer(directory));
  const config = addJson(layout, {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Env: ['PATH=/bin'], Cmd: ['/bin/sleep', 'infinity'] },
    rootfs: { type: 'layers', diff_ids: [filesystem.digest] },
  });
  const manifest = addJson(layout, {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...filesystem }],
  });
  const index = {
    schemaVersion: 2,
    manifests: [
      {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        ...manifest,
        annotations: { 'io.containerd.image.name': imageName },
      },
    ],
  };
  writeFileSync(`${layout}/index.json`, JSON.stringify(index));
  writeFileSync(`${layout}/oci-layout`, JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  await output(['tar', '--create', `--directory=${layout}`, `--file=${file}.next`, '.']);
  renameSync(`${file}.next`, file);
}

import { definePlugin } from '../../../cni/index.ts';
export const plugin = definePlugin({ name: 'portmap', add: ({ previousResult }) => previousResult ?? {}, del: () => {}, check: () => {} });

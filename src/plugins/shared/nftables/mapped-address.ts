export { mapAddress, unmapAddress } from '../../../lib/mapped-address.ts';

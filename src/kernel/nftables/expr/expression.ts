/** Expressions: the instructions that rules are made of (enum nft_expr_attributes, linux/netfilter/nf_tables.h). */
import {
  type AttributeFields,
  type AttributeValues,
  attribute,
  attributes,
  nestedBytes,
} from '../../netlink/attributes.ts';
import { createWriter } from '../../netlink/bytes.ts';
import { cstring } from '../../netlink/codec.ts';

/** One expression: its name, e.g. `cmp`, and its own attributes, encoded. */
export interface Expression {
  readonly name: string;
  readonly data: Uint8Array;
}

/**
 * A register by its number (enum nft_registers): 0 holds the verdict; 1–4 are 16 bytes each, and 8–23 the same
 * space in pieces of 4.
 */
export type Register = number;

/** NFT_REG_1: the start of the space for values, where nft begins as well. */
export const firstRegister: Register = 1;

/** The register so many bytes (a multiple of four) after the start of the space for values. */
export function registerAt(bytes: number): Register {
  const NFT_REG32_00 = 8;
  return bytes === 0 ? firstRegister : NFT_REG32_00 + bytes / 4;
}

/** An expression's name and attributes, declared once. */
export interface ExpressionKind<F extends AttributeFields> {
  make(values: AttributeValues<F>): Expression;
  /** The attributes; undefined for an expression of another kind. Throws CodecError. */
  read(expression: Expression): AttributeValues<F> | undefined;
}

/** Declares a kind of expression. */
export function expressionKind<F extends AttributeFields>(name: string, fields: F): ExpressionKind<F> {
  const codec = attributes(fields);
  return {
    make: (values) => {
      const writer = createWriter();
      codec.encode(writer, values);
      return { name, data: writer.finish() };
    },
    read: (expression) => (expression.name === name ? codec.decode(expression.data) : undefined),
  };
}

/** One element of a rule's list of expressions; a flag-like expression may have no data. */
export const expressionCodec = attributes({
  name: attribute(1, cstring),
  data: attribute(2, nestedBytes()),
});

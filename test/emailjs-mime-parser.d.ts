/** The package brings no types; these are the parts that tests use. */
declare module 'emailjs-mime-parser' {
  interface Header {
    // biome-ignore lint/suspicious/noExplicitAny: text or addresses, by header.
    readonly value: any;
  }
  interface MimeNode {
    readonly headers: Readonly<Record<string, readonly Header[]>>;
    readonly content?: Uint8Array;
    readonly childNodes: readonly MimeNode[];
  }
  export default function parse(bytes: Uint8Array): MimeNode;
}

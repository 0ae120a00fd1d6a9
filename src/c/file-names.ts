/**
 * Which functions a C file defines, declares and uses, by one pass over its characters: exact enough to know which
 * files to read, at a small part of the cost of reading them. No IO, no grammar; half a file gives fewer names.
 */
import {
  isDigit,
  isSpace,
  isWordPart,
  isWordStart,
  skipComment,
  skipDirective,
  skipLiteral,
  skipNumber,
} from './tokens.js';

/** The name has a body here. */
export const DEFINED = 1;
/** The name is called here, or handed on like a function: an argument, an initialiser, an assignment. */
export const USED = 2;
/** The name is called outside every body: a prototype, or a macro that defines something. */
export const DECLARED = 4;

/** What each name is in a file: DEFINED, USED, DECLARED, together. */
export type FileNames = ReadonlyMap<string, number>;

const KEYWORDS: ReadonlySet<string> = new Set(
  (
    'if else while for do switch case default return goto break continue sizeof typeof __typeof__ typeof_member ' +
    'alignof _Alignof static inline extern const volatile struct union enum void int long short char unsigned signed ' +
    'bool float double register auto typedef __attribute__ __aligned __printf asm __asm__ defined offsetof likely ' +
    'unlikely NULL true false current container_of ARRAY_SIZE BUG_ON WARN_ON WARN_ON_ONCE READ_ONCE WRITE_ONCE'
  ).split(' '),
);

/** What stands before a name that is handed on as a value. */
const BEFORE = new Set([40, 44, 61, 38, 58, 63]);
/** What stands behind one. */
const BEHIND = new Set([41, 44, 59, 125, 58, 10]);

export function namesOfFile(text: string): FileNames {
  return new NameScan(text).run();
}

class NameScan {
  private readonly names = new Map<string, number>();
  /** Names that look like a local, a parameter or a member of this file: what is declared here is no function elsewhere. */
  private readonly own = new Set<string>();
  private readonly handed = new Set<string>();
  private depth = 0;

  constructor(private readonly text: string) {}

  run(): FileNames {
    this.scan(0, this.text.length, false);
    for (const name of this.handed) if (!this.own.has(name)) this.add(name, USED);
    return this.names;
  }

  private add(name: string, what: number): void {
    this.names.set(name, (this.names.get(name) ?? 0) | what);
  }

  private scan(from: number, end: number, inMacro: boolean): void {
    const { text } = this;
    let lineStart = !inMacro;
    /** Last character before this token that counts, and whether that was a word that may be a type. */
    let before = 59;
    let behindWord = false;
    /** At the top level: the name whose parameter list is open or was just closed, and how many parentheses are open. */
    let head = '';
    let parens = 0;
    let i = from;
    while (i < end) {
      const code = text.charCodeAt(i);
      if (code === 10) {
        lineStart = true;
        i++;
        continue;
      }
      if (isSpace(code) || code === 92) {
        i++;
        continue;
      }
      if (code === 47) {
        const behind = skipComment(text, i);
        if (behind !== i) {
          i = behind;
          continue;
        }
      }
      if (code === 35 && lineStart && !inMacro) {
        const behind = skipDirective(text, i);
        this.directive(i, behind);
        i = behind;
        continue;
      }
      if (isWordStart(code)) {
        const start = i++;
        while (isWordPart(text.charCodeAt(i))) i++;
        lineStart = false;
        const member = before === 46 || (before === 62 && text.charCodeAt(this.back(start)) === 45);
        const next = this.next(i);
        const name = text.slice(start, i);
        if (member || KEYWORDS.has(name)) {
          behindWord = !member && name !== 'return' && name !== 'else' && name !== 'case' && name !== 'goto';
        } else {
          if (next === 40) {
            if (this.depth > 0 || inMacro) this.add(name, USED);
            // What follows the parameter list is an annotation (__releases(x)).
            else if (parens === 0 && head === '') head = name;
          } else if (behindWord || (before === 42 && BEHIND.has(next))) this.own.add(name);
          else if (
            BEFORE.has(before) &&
            BEHIND.has(next) &&
            (this.depth > 0 || inMacro) &&
            mayBeFunction(name)
          )
            this.handed.add(name);
          behindWord = true;
        }
        before = 97;
        continue;
      }
      if (isDigit(code)) i = skipNumber(text, i);
      else if (code === 34 || code === 39) i = skipLiteral(text, i);
      else {
        i++;
        if (inMacro) {
          // Braces of a macro balance inside it, or in the macro that ends what it begins.
        } else if (code === 123) {
          if (this.depth === 0 && head !== '' && parens === 0) this.add(head, DEFINED);
          head = '';
          this.depth++;
        } else if (code === 125) {
          // Arms of an #if may open the same brace twice: one at the margin closes everything.
          this.depth = lineStart && text.charCodeAt(i - 2) === 10 ? 0 : Math.max(0, this.depth - 1);
          head = '';
          parens = 0;
        } else if (this.depth === 0) {
          if (code === 40) parens++;
          else if (code === 41) parens = Math.max(0, parens - 1);
          else if (code === 59 && parens === 0) {
            if (head !== '') this.add(head, DECLARED);
            head = '';
          } else if (code === 61) head = '';
        }
      }
      // `*` keeps what a type before it began: `type *name`.
      if (code !== 42) behindWord = false;
      before = code;
      lineStart = false;
    }
  }

  /** A macro's own name is defined, what its body calls is used; other directives hold no calls. */
  private directive(from: number, end: number): void {
    DEFINE.lastIndex = from;
    const match = DEFINE.exec(this.text);
    if (match === null || match.index + match[0].length > end) return;
    const [whole, name = '', open] = match;
    let at = from + whole.length;
    if (open !== undefined) {
      this.add(name, DEFINED);
      const close = this.text.indexOf(')', at);
      if (close < 0 || close > end) return;
      for (const [parameter] of this.text.slice(at, close).matchAll(/[A-Za-z_]\w*/g)) this.own.add(parameter);
      at = close + 1;
    }
    this.scan(at, end, true);
    // `#define name other` hands everything on to the other.
    const alias = ALIAS.exec(this.text.slice(at, Math.min(end, at + 80)));
    if (open === undefined && alias?.[1] !== undefined && alias[1] !== name) {
      this.add(name, DEFINED);
      if (mayBeFunction(alias[1])) this.add(alias[1], USED);
    }
  }

  /** The next character that counts. */
  private next(from: number): number {
    let i = from;
    while (isSpace(this.text.charCodeAt(i)) && this.text.charCodeAt(i) !== 10) i++;
    return this.text.charCodeAt(i);
  }

  /** Where the second last character before a place stands that counts. */
  private back(from: number): number {
    let i = from - 1;
    while (i > 0 && isSpace(this.text.charCodeAt(i))) i--;
    return i - 1;
  }
}

const DEFINE = /#[ \t]*define[ \t]+([A-Za-z_]\w*)(\()?/y;
const ALIAS = /^[ \t]+([A-Za-z_]\w*)[ \t]*$/m;

/** Constants are in capitals; functions are not. */
const mayBeFunction = (name: string): boolean => !/^[A-Z0-9_]+$/.test(name);

/** Markup that is safe to put into a page as it stands. Only `html` makes it. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
]);

type Slot = string | number | Markup | readonly Markup[] | null;

/**
 * Template tag for pages: every slot is escaped unless it is markup made by this tag, so a value of the
 * signed action can never become an element or an attribute.
 * @invariant no other way into a page exists
 */
export function html(parts: TemplateStringsArray, ...slots: readonly Slot[]): Markup {
  let out = parts[0] ?? '';
  slots.forEach((slot, index) => {
    out += render(slot) + (parts[index + 1] ?? '');
  });
  return new Markup(out);
}

function render(slot: Slot): string {
  if (slot === null) return '';
  if (slot instanceof Markup) return slot.text;
  if (typeof slot === 'object') return slot.map((item) => item.text).join('');
  return String(slot).replace(/[&<>"']/g, (ch) => ESCAPES.get(ch) ?? '');
}

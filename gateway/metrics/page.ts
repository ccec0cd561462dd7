// Text of many functions, kept from one scrape to the next: of ten thousand functions hardly any has changed in between.

/** Functions that share a text: few enough to write again for one that is called, enough that keeping costs little. */
export const pageSize = 128;

/** Text of one member, empty when it has nothing to say; the function itself is the name under which the text is kept. */
export type Write<Member> = (member: Member) => string;

const encode = (text: string): Buffer => {
  // Not from the pool that Node.js cuts small buffers from: one that is kept would hold its neighbours' memory, too.
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
};

export class Page<Member> {
  readonly members: Member[] = [];
  /** Set by whoever counts a call; a flag, because that happens thousands of times a second. */
  counted = false;
  readonly #counts = new Map<Write<Member>, Buffer>();
  readonly #reports = new Map<Write<Member>, Buffer>();

  /** What was counted since the last time is written anew. Call it when a scrape begins. */
  refresh(): void {
    if (!this.counted) return;
    this.counted = false;
    this.#counts.clear();
  }

  /** A member has changed by something else than a call. */
  reported(): void {
    this.#reports.clear();
  }

  add(member: Member): void {
    this.members.push(member);
    this.#forget();
  }

  remove(member: Member): void {
    this.members.splice(this.members.indexOf(member), 1);
    this.#forget();
  }

  /** Of all members, about what calls count or what reports change. The bytes are never written to again. */
  text(about: 'counts' | 'reports', write: Write<Member>): Buffer {
    const kept = about === 'counts' ? this.#counts : this.#reports;
    let bytes = kept.get(write);
    if (bytes === undefined) {
      let text = '';
      for (const member of this.members) text += write(member);
      bytes = encode(text);
      kept.set(write, bytes);
    }
    return bytes;
  }

  #forget(): void {
    this.#counts.clear();
    this.#reports.clear();
  }
}

export class Pages<Member> {
  readonly #pages = new Set<Page<Member>>();
  /** Those that may take another member. */
  readonly #roomy = new Set<Page<Member>>();

  /** A page for one more member. */
  roomy(): Page<Member> {
    for (const page of this.#roomy) {
      if (page.members.length < pageSize) return page;
      this.#roomy.delete(page);
    }
    const page = new Page<Member>();
    this.#pages.add(page);
    this.#roomy.add(page);
    return page;
  }

  remove(page: Page<Member>, member: Member): void {
    page.remove(member);
    if (page.members.length > 0) this.#roomy.add(page);
    else {
      this.#roomy.delete(page);
      this.#pages.delete(page);
    }
  }

  /** For one scrape: those that are there now, with what was counted until now. */
  begin(): readonly Page<Member>[] {
    for (const page of this.#pages) page.refresh();
    return [...this.#pages];
  }
}

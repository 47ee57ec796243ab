// The events of a run in tree order. What producers send need not be a tree: parents are late or
// lost, span ids repeat, and spans name each other in a circle.

export type TreeEvent = Record<string, unknown> & {
  depth: number;
  parent_event_id: string | null;
  /** It names a parent that the run does not have: the event stands at the top. */
  parent_missing: boolean;
};

type Row = Record<string, unknown>;

interface Node {
  row: Row;
  parent: Node | null;
  parentMissing: boolean;
  children: Node[];
}

/** Events in order of time → the same events in pre-order; siblings keep their order. */
export function treeOf(rows: readonly Row[]): TreeEvent[] {
  const nodes = rows.map((row): Node => ({
    row,
    parent: null,
    parentMissing: false,
    children: [],
  }));
  const bySpan = new Map<unknown, Node>();
  for (const node of nodes) {
    const { span_id } = node.row;
    // Of events that share a span, the first stands for it.
    if (span_id !== undefined && !bySpan.has(span_id)) bySpan.set(span_id, node);
  }
  for (const node of nodes) {
    const { parent_span_id } = node.row;
    if (parent_span_id === undefined) continue;
    const parent = bySpan.get(parent_span_id);
    if (parent === undefined || parent === node) node.parentMissing = true;
    else node.parent = parent;
  }
  breakCircles(nodes);
  for (const node of nodes) node.parent?.children.push(node);
  return preOrder(nodes.filter((node) => node.parent === null));
}

/** The first member of a circle, in time, becomes a root. */
function breakCircles(nodes: readonly Node[]): void {
  const places = new Map(nodes.map((node, place) => [node, place]));
  const settled = new Set<Node>();
  for (const start of nodes) {
    const path = new Set<Node>();
    let node: Node | null = start;
    while (node !== null && !settled.has(node) && !path.has(node)) {
      path.add(node);
      node = node.parent;
    }
    if (node !== null && path.has(node)) {
      // The path may lead into the circle from outside, at any of its members.
      let first = node;
      for (let member = node.parent!; member !== node; member = member.parent!) {
        if (places.get(member)! < places.get(first)!) first = member;
      }
      first.parent = null;
      first.parentMissing = true;
    }
    for (const seen of path) settled.add(seen);
  }
}

function preOrder(roots: readonly Node[]): TreeEvent[] {
  const ordered: TreeEvent[] = [];
  const waiting = roots.map((node) => ({ node, depth: 0 })).reverse();
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, depth } = next;
    ordered.push({
      ...node.row,
      depth,
      parent_event_id: node.parent === null ? null : String(node.parent.row.event_id),
      parent_missing: node.parentMissing,
    });
    for (const child of node.children.toReversed()) waiting.push({ node: child, depth: depth + 1 });
  }
  return ordered;
}

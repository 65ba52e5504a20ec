/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "model/severity.h"
#include "pages/picture.h"

/* The entity graph: columns from where it ran to what it touched. */

enum {
	GRAPH_NODES_MAX = 30,
	GRAPH_ALL_MAX = 150,
	COLUMNS = 5,
	COLUMN_WIDTH = 220,
	BOX_WIDTH = 180,
	ROW_HEIGHT = 30,
	BOX_HEIGHT = 22,
	LABEL_BYTES = 24,
};

struct box {
	const struct node *entity;
	unsigned severity;
	int column, x, y;
	bool drawn;
};

struct graph {
	struct box boxes[GRAPH_ALL_MAX]; /* place: id - 1 */
	size_t n, n_drawn;
	int filled[COLUMNS];
};

static int column_of(struct text kind)
{
	static const struct {
		const char *kind;
		int column;
	} columns[] = {{"workload", 0}, {"pod", 1}, {"node", 2}, {"container", 2}, {"image", 3},
		{"process", 3}, {"user", 4}, {"file", 4}, {"address", 4}, {"resource", 4}};
	for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
		if (text_is(kind, columns[i].kind))
			return columns[i].column;
	return COLUMNS - 1;
}

/* Where it ran comes before what ran, then the worst, then what came first. */
static size_t next_to_draw(const struct graph *graph)
{
	size_t best = graph->n;
	for (size_t i = 0; i < graph->n; i++) {
		const struct box *box = &graph->boxes[i];
		if (box->drawn)
			continue;
		if (best == graph->n) {
			best = i;
			continue;
		}
		const struct box *other = &graph->boxes[best];
		bool is_place = box->column < 3, other_is = other->column < 3;
		if (is_place != other_is ? is_place : box->severity > other->severity)
			best = i;
	}
	return best;
}

static void place_boxes(struct graph *graph)
{
	while (graph->n_drawn < GRAPH_NODES_MAX) {
		size_t at = next_to_draw(graph);
		if (at == graph->n)
			break;
		graph->boxes[at].drawn = true;
		graph->n_drawn++;
	}
	for (size_t i = 0; i < graph->n; i++) {
		struct box *box = &graph->boxes[i];
		if (!box->drawn)
			continue;
		box->x = box->column * COLUMN_WIDTH;
		box->y = graph->filled[box->column]++ * ROW_HEIGHT + 4;
	}
}

static void read_boxes(struct graph *graph, const struct node *entities)
{
	const struct node *items = tree_member(entities, "items");
	for (const struct node *item = items ? items->first : NULL;
		item && graph->n < GRAPH_ALL_MAX; item = item->next) {
		enum severity severity = SEVERITY_INFO;
		if (!severity_parse(tree_member_text(item, "severity"), &severity))
			severity = SEVERITY_INFO;
		graph->boxes[graph->n++] = (struct box){.entity = item,
			.severity = severity,
			.column = column_of(tree_member_text(item, "kind"))};
	}
}

static const struct box *box_of(const struct graph *graph, uint64_t id)
{
	return id >= 1 && id <= graph->n && graph->boxes[id - 1].drawn ? &graph->boxes[id - 1]
								       : NULL;
}

static void write_edges(struct page *page, const struct graph *graph, const struct node *entities)
{
	struct html *html = &page->html;
	const struct node *edges = tree_member(entities, "edges");
	for (const struct node *edge = edges ? edges->first : NULL; edge; edge = edge->next) {
		const struct box *from = box_of(graph, page_u64(edge, "from"));
		const struct box *to = box_of(graph, page_u64(edge, "to"));
		if (!from || !to || from->column >= to->column)
			continue;
		int x1 = from->x + BOX_WIDTH, y1 = from->y + BOX_HEIGHT / 2;
		int x2 = to->x, y2 = to->y + BOX_HEIGHT / 2, middle = (x1 + x2) / 2;
		html_open(html, "path", "edge");
		html_setf(html, "d", "M%d %dC%d %d %d %d %d %d", x1, y1, middle, y1, middle, y2, x2,
			y2);
		html_close(html);
	}
}

/* The end of a long name tells more than its beginning. */
static struct text label_of(const struct page *page, struct text name)
{
	if (name.size <= LABEL_BYTES)
		return name;
	size_t from = name.size - LABEL_BYTES;
	while (from < name.size && ((unsigned char)name.data[from] & 0xc0) == 0x80)
		from++;
	return arena_format(page->arena, "…%.*s", (int)(name.size - from), name.data + from);
}

static void write_box(struct page *page, const struct box *box)
{
	struct html *html = &page->html;
	struct text name = tree_member_text(box->entity, "name");
	html_open(html, "g", "box");
	html_set(html, "data-sev", tree_member_text(box->entity, "severity"));
	html_open(html, "title", NULL);
	html_text(html, tree_member_text(box->entity, "kind"));
	html_string(html, " ");
	html_text(html, name);
	html_close(html);
	html_open(html, "rect", NULL);
	html_setf(html, "x", "%d.5", box->x);
	html_setf(html, "y", "%d.5", box->y);
	html_setf(html, "width", "%d", BOX_WIDTH);
	html_setf(html, "height", "%d", BOX_HEIGHT);
	html_set_string(html, "rx", "3");
	html_close(html);
	html_open(html, "text", NULL);
	html_setf(html, "x", "%d", box->x + 8);
	html_setf(html, "y", "%d", box->y + 15);
	html_text(html, label_of(page, name));
	html_close(html);
	html_close(html);
}

void picture_graph(struct page *page, const struct node *entities)
{
	struct html *html = &page->html;
	struct graph *graph = arena_alloc(page->arena, sizeof *graph);
	int rows = 1;
	if (!graph)
		return;
	read_boxes(graph, entities);
	place_boxes(graph);
	for (int i = 0; i < COLUMNS; i++)
		rows = graph->filled[i] > rows ? graph->filled[i] : rows;
	html_open(html, "div", "scroll");
	html_open(html, "svg", "graph");
	html_set_string(html, "role", "img");
	html_setf(html, "viewBox", "0 0 %d %d", COLUMNS * COLUMN_WIDTH - 30, rows * ROW_HEIGHT + 4);
	page_set(page, "aria-label", WORD_GRAPH_NAME);
	write_edges(page, graph, entities);
	for (size_t i = 0; i < graph->n; i++)
		if (graph->boxes[i].drawn)
			write_box(page, &graph->boxes[i]);
	html_close(html);
	html_close(html);
}

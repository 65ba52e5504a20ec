// SPDX-License-Identifier: Apache-2.0
// Makes one element equal to another without replacing what is the same, so that the focus,
// a selection and what is open stay. Never touches what a person has typed or ticked.

/** @param {Element} old @param {Element} fresh */
function copyAttributes(old, fresh) {
	for (const { name } of [...old.attributes])
		// The cursor, the selection and "open" are the reader's.
		if (!fresh.hasAttribute(name) && !name.startsWith("data-cursor") && !name.startsWith("data-selected") && name !== "open")
			old.removeAttribute(name);
	for (const { name, value } of fresh.attributes)
		if (old.getAttribute(name) !== value)
			old.setAttribute(name, value);
}

/** @param {Node} a @param {Node} b */
const isAlike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName &&
	(!(a instanceof Element) || !(b instanceof Element) || a.id === b.id);

/**
 * @param {Element} old in the page
 * @param {Element} fresh from another document; taken apart
 */
export function morph(old, fresh) {
	if (old.isEqualNode(fresh) || old.matches("input, textarea, select"))
		return;
	copyAttributes(old, fresh);
	const before = [...old.childNodes], after = [...fresh.childNodes];
	after.forEach((node, i) => {
		const there = before[i];
		if (!there)
			old.append(document.adoptNode(node));
		else if (!isAlike(there, node))
			there.replaceWith(document.adoptNode(node));
		else if (there instanceof Element && node instanceof Element)
			morph(there, node);
		else if (there.nodeValue !== node.nodeValue)
			there.nodeValue = node.nodeValue;
	});
	for (const node of before.slice(after.length))
		node.remove();
}

"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const canvas = document.getElementById("canvas");
  const search = document.getElementById("search");
  const found = document.getElementById("found");
  const about = document.getElementById("about");
  const unfold = document.getElementById("unfold");
  const make = (name, attributes, parent) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    parent.appendChild(element);
    return element;
  };
  // Which fold each node is of; a fold is known by its number.
  const foldOf = new Map();
  data.folds.forEach((keys, fold) => keys.forEach((key) => foldOf.set(key, fold)));
  const sceneOf = (open) => data.scenes.find((it) => it.open === open);
  let open = data.scenes[0].open;
  let scene = null;
  let view = null;
  let nodes = [];
  let drawn = new Set();
  let hits = [];
  let hit = -1;

  const show = () => canvas.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`);
  const fit = () => {
    view = { x: 0, y: 0, width: scene.width, height: scene.height };
    const box = canvas.getBoundingClientRect();
    // What is small is not blown up.
    const scale = Math.max(view.width / box.width, view.height / box.height, 0.8);
    view.x = (view.width - box.width * scale) / 2;
    view.y = Math.min(0, (view.height - box.height * scale) / 2);
    view.width = box.width * scale;
    view.height = box.height * scale;
    show();
  };
  const zoom = (factor, x, y) => {
    const wide = Math.min(Math.max(view.width * factor, 150), 60000);
    factor = wide / view.width;
    view.x = x - (x - view.x) * factor;
    view.y = y - (y - view.y) * factor;
    view.width = wide;
    view.height *= factor;
    show();
  };
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [
      view.x + ((event.clientX - box.left) / box.width) * view.width,
      view.y + ((event.clientY - box.top) / box.height) * view.height,
    ];
  };
  const centre = (group) => {
    const box = group.getBBox();
    view.x = box.x + box.width / 2 - view.width / 2;
    view.y = box.y + box.height / 2 - view.height / 2;
    show();
  };

  // What is folded into a node: the others, which are not drawn.
  const folded = (key) => (data.folds[foldOf.get(key)] || []).filter((it) => it !== key && !drawn.has(it));
  const tell = (key, name) => {
    const node = data.nodes[key];
    if (!node) return;
    about.replaceChildren();
    const head = document.createElement("h2");
    const list = document.createElement("ul");
    const others = folded(key);
    head.textContent = others.length > 0 ? name : node.name;
    const each = [key, ...others].map((it) => [data.nodes[it].name, ""]);
    for (const [text, mark] of others.length > 0 ? each : node.lines) {
      const item = document.createElement("li");
      item.textContent = text;
      item.className = mark;
      list.appendChild(item);
    }
    about.append(head, list);
  };

  const draw = () => {
    scene = sceneOf(open).scene;
    canvas.replaceChildren();
    nodes = [];
    drawn = new Set(scene.groups.map((group) => group.key));
    make("rect", { class: "paper", x: -100000, y: -100000, width: 200000, height: 200000 }, canvas);
    for (const group of scene.groups) {
      const element = make("g", { class: group.class }, canvas);
      if (group.hint) make("title", {}, element).textContent = group.hint;
      for (const shape of group.shapes) {
        if (shape.is === "rect") {
          const { x, y, width, height, round } = shape;
          make("rect", { class: shape.class, x, y, width, height, rx: round }, element);
        } else if (shape.is === "text") {
          const text = make("text", { class: shape.class, x: shape.x, y: shape.y }, element);
          if (shape.end) text.setAttribute("text-anchor", "end");
          text.textContent = shape.text;
        } else {
          make("path", { class: shape.class, d: shape.d }, element);
        }
      }
      if (group.key === undefined) continue;
      element.dataset.key = group.key;
      // A search finds what is folded, too.
      const all = [group.key, ...folded(group.key)].map((key) => data.nodes[key]).filter((node) => node);
      const lines = all.flatMap((node) => [node.name, ...node.lines.map((line) => line[0])]);
      const texts = [...group.shapes.map((shape) => shape.text || ""), ...lines].join("\n").toLowerCase();
      nodes.push({ element, key: group.key, name: group.hint, text: texts });
      element.addEventListener("pointerenter", () => tell(group.key, group.hint));
      if (foldOf.has(group.key)) {
        element.classList.add("folds");
        element.addEventListener("click", () => {
          if (!moved) turn(foldOf.get(group.key), group.key);
        });
      }
    }
    unfold.hidden = data.scenes.length < 2;
    unfold.textContent = open === -2 ? "fold" : "unfold all";
  };
  // Opens a fold, or closes what is open; what was clicked stays in sight.
  const turn = (fold, key) => {
    open = open === -1 && sceneOf(fold) ? fold : open === -1 ? -2 : -1;
    const zoomed = { ...view };
    draw();
    look();
    view = zoomed;
    const keys = data.folds[fold] || [];
    const there = nodes.find((it) => it.key === key) || nodes.find((it) => keys.includes(it.key));
    if (there) centre(there.element);
    else fit();
  };

  const look = () => {
    const word = search.value.trim().toLowerCase();
    canvas.classList.toggle("searched", word !== "");
    hits = word === "" ? [] : nodes.filter((node) => node.text.includes(word));
    hit = -1;
    for (const node of nodes) {
      node.element.classList.toggle("hit", hits.includes(node));
      node.element.classList.remove("here");
    }
    found.textContent = word === "" ? "" : `${hits.length} found`;
  };
  search.addEventListener("input", look);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      search.value = "";
      look();
    }
    if (event.key !== "Enter" || hits.length === 0) return;
    if (hit >= 0) hits[hit].element.classList.remove("here");
    hit = (hit + (event.shiftKey ? hits.length - 1 : 1)) % hits.length;
    hits[hit].element.classList.add("here");
    // Near enough to read it.
    if (view.width > 1400) zoom(1400 / view.width, ...middle());
    centre(hits[hit].element);
    tell(hits[hit].key, hits[hit].name);
    found.textContent = `${hit + 1} of ${hits.length}`;
  });

  let drag = null;
  let moved = false;
  canvas.addEventListener("pointerdown", (event) => {
    drag = { x: event.clientX, y: event.clientY, view: { ...view } };
    moved = false;
  });
  window.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const box = canvas.getBoundingClientRect();
    const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
    moved = moved || Math.abs(dx) + Math.abs(dy) > 4;
    if (!moved) return;
    canvas.classList.add("dragged");
    view.x = drag.view.x - (dx / box.width) * view.width;
    view.y = drag.view.y - (dy / box.height) * view.height;
    show();
  });
  window.addEventListener("pointerup", () => {
    drag = null;
    canvas.classList.remove("dragged");
  });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(Math.sign(event.deltaY) * 0.15), ...place(event));
  }, { passive: false });
  const middle = () => [view.x + view.width / 2, view.y + view.height / 2];
  document.getElementById("closer").addEventListener("click", () => zoom(1 / 1.3, ...middle()));
  document.getElementById("further").addEventListener("click", () => zoom(1.3, ...middle()));
  document.getElementById("fit").addEventListener("click", fit);
  unfold.addEventListener("click", () => {
    open = open === -2 ? -1 : -2;
    draw();
    look();
    fit();
  });
  window.addEventListener("resize", () => {
    const box = canvas.getBoundingClientRect();
    view.height = (view.width * box.height) / box.width;
    show();
  });
  draw();
  fit();
})();

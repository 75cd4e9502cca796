/* An addition only: without it every figure, table and link of the page is there.
   Tables get a search, a filter and sorting; marks of charts say who they are, by mouse and by arrow keys. */
(function () {
  "use strict";
  var document = window.document;

  function make(tag, attributes, text) {
    var element = document.createElement(tag);
    Object.keys(attributes || {}).forEach(function (name) { element.setAttribute(name, attributes[name]); });
    if (text) { element.textContent = text; }
    return element;
  }

  /* --- Tables ------------------------------------------------------------------------------------------- */
  function plain(text) {
    return text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").replace(/\u00ad/g, "").toLowerCase();
  }

  /* The first number of a cell: "1 in 500" and "12–40" sort by what they mean, an empty cell last. */
  function value(cell) {
    var text = cell ? cell.textContent.replace(/[,\s\u202f]/g, "").replace(/\u2212/g, "-") : "";
    var odds = /^(over|under)?1in([\d.]+)/.exec(text);
    if (odds) { return 1 / Number(odds[2]); }
    var number = /^[×+]?(-?[\d.]+)/.exec(text);
    return number ? Number(number[1]) : NaN;
  }

  function tools(table) {
    var body = table.tBodies[0];
    var rows = Array.prototype.slice.call(body.rows);
    if (rows.length < 8) { return; }
    var order = rows.slice();
    var heads = Array.prototype.slice.call(table.tHead.rows[0].cells);
    heads.forEach(sortable);
    /* A page of a longer table: what is looked for may stand on another. The first page knows where. */
    if (table.dataset.all && !table.dataset.index) { return; }
    var further = elsewhere(table, heads.length);
    var bar = make("div", { "class": "tools" });
    var found = make("span", { "class": "small", role: "status" });
    var name = heads[0].textContent.trim().toLowerCase();
    var search = field(bar, "input", "Find a " + name, { type: "search", autocomplete: "off", spellcheck: "false" });
    var words = {};
    rows.forEach(function (row) {
      var status = row.querySelector(".status");
      if (status) { words[status.textContent.trim()] = true; }
    });
    var choice = null;
    if (further) { further.statuses.forEach(function (word) { words[word] = true; }); }
    if (Object.keys(words).length > 1) {
      choice = field(bar, "select", "In words", {});
      ["All"].concat(Object.keys(words)).forEach(function (word) { choice.appendChild(make("option", {}, word)); });
    }
    bar.appendChild(found);
    var scroll = table.closest(".scroll") || table;
    scroll.parentNode.insertBefore(bar, scroll);
    var texts = rows.map(function (row) { return plain(row.cells[0].textContent); });
    var states = rows.map(function (row) {
      var status = row.querySelector(".status");
      return status ? status.textContent.trim() : "";
    });

    var all = (table.dataset.all || rows.length).toString();

    function show() {
      var wanted = plain(search.value.trim());
      var state = choice && choice.selectedIndex > 0 ? choice.value : "";
      var asked = wanted || state;
      var count = asked && further ? further.show(wanted, state) : 0;
      if (!asked && further) { further.clear(); }
      rows.forEach(function (row, place) {
        var kept = texts[place].indexOf(wanted) >= 0 && (!state || states[place] === state);
        row.hidden = !kept;
        count += kept ? 1 : 0;
      });
      found.textContent = asked ? count.toLocaleString(document.documentElement.lang) + " of " + all : "";
    }
    search.addEventListener("input", show);
    if (choice) { choice.addEventListener("change", show); }

    function sortable(head, column) {
      var label = head.textContent.trim();
      if (!label || head.classList.contains("graphic")) { return; }
      var button = make("button", { type: "button", "class": "sort", title: "Sort by " + label.replace(/\u00ad/g, "") });
      var link = head.querySelector("a");
      /* A head that leads to its definition keeps the link; the button stands beside it. */
      if (link) {
        button.setAttribute("aria-label", "Sort by " + label.replace(/\u00ad/g, ""));
        head.appendChild(button);
      } else {
        while (head.firstChild) { button.appendChild(head.firstChild); }
        head.appendChild(button);
      }
      button.addEventListener("click", function () { sort(head, column); });
    }

    function cell(row, column) {
      /* Rows with hidden counts join cells: only their first and last can be sorted by. */
      if (row.cells.length === heads.length) { return row.cells[column]; }
      return column === 0 ? row.cells[0] : column === heads.length - 1 ? row.cells[row.cells.length - 1] : null;
    }

    function sort(head, column) {
      var before = head.getAttribute("aria-sort");
      var next = before === "ascending" ? "descending" : before === "descending" ? "" : "ascending";
      heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
      var sorted = order.slice();
      if (next) {
        head.setAttribute("aria-sort", next);
        var sign = next === "ascending" ? 1 : -1;
        var numeric = head.classList.contains("number");
        var keys = new Map();
        order.forEach(function (row) {
          var of = cell(row, column);
          keys.set(row, numeric ? value(of) : of ? plain(of.textContent.trim()) : "");
        });
        sorted.sort(function (a, b) {
          var x = keys.get(a), y = keys.get(b);
          if (numeric) {
            if (x !== x || y !== y) { return (x !== x ? 1 : 0) - (y !== y ? 1 : 0); }
            return sign * (x - y);
          }
          return sign * x.localeCompare(y, document.documentElement.lang, { numeric: true });
        });
      }
      var all = document.createDocumentFragment();
      sorted.forEach(function (row) { all.appendChild(row); });
      body.appendChild(all);
    }
  }

  /* Rows of a table that stand on its further pages: found by name and result, and where they stand. */
  var MOST_ELSEWHERE = 100;
  function elsewhere(table, columns) {
    if (!table.dataset.index) { return null; }
    var index = JSON.parse(document.getElementById(table.dataset.index).textContent);
    var names = null, body = null;
    function clear() { if (body) { body.remove(); body = null; } }
    function row(entry, place) {
      var page = Math.floor(place / index.rows) + 2;
      var line = make("tr");
      var name = make("th", { scope: "row" });
      name.appendChild(make("a", { href: "../hospitals/" + entry[1] + ".html" }, entry[0]));
      var where = make("td", { "class": "hidden-counts", colspan: columns - 2 });
      where.appendChild(make("a", { href: index.page + page + ".html#" + entry[1] }, index.found.replace("{page}", page)));
      var result = make("td", { "class": "in-words" });
      var known = document.querySelector(".status." + index.classes[entry[2]]);
      result.appendChild(known ? known.cloneNode(true) : make("span", { "class": "status" }, index.statuses[entry[2]]));
      [name, where, result].forEach(function (cell) { line.appendChild(cell); });
      return line;
    }
    return {
      statuses: index.statuses.filter(function (_, code) { return index.entries.some(function (e) { return e[2] === code; }); }),
      clear: clear,
      show: function (wanted, state) {
        names = names || index.entries.map(function (entry) { return plain(entry[0]); });
        var code = state ? index.statuses.indexOf(state) : -1, count = 0;
        clear();
        body = make("tbody");
        index.entries.forEach(function (entry, place) {
          if (names[place].indexOf(wanted) < 0 || (state && entry[2] !== code)) { return; }
          count += 1;
          if (count <= MOST_ELSEWHERE) { body.appendChild(row(entry, place)); }
        });
        table.appendChild(body);
        return count;
      }
    };
  }

  var fields = 0;
  function field(bar, tag, text, attributes) {
    fields += 1;
    var label = make("label", { "for": "tool-" + fields }, text);
    attributes.id = "tool-" + fields;
    var input = make(tag, attributes);
    bar.appendChild(label);
    bar.appendChild(input);
    return input;
  }

  /* --- Charts ------------------------------------------------------------------------------------------- */
  var tip = make("div", { "class": "tip", "aria-hidden": "true", hidden: "" });

  function say(mark) {
    var box = mark.getBoundingClientRect();
    tip.textContent = mark.getAttribute("aria-label");
    tip.hidden = false;
    var wide = document.documentElement.clientWidth;
    var left = Math.min(Math.max(box.left + box.width / 2 - tip.offsetWidth / 2, 8), wide - tip.offsetWidth - 8);
    var top = box.top - tip.offsetHeight - 8;
    tip.style.left = left + window.scrollX + "px";
    tip.style.top = (top < 0 ? box.bottom + 8 : top) + window.scrollY + "px";
  }

  function quiet() { tip.hidden = true; }

  /* Marks are one stop of the tab key; arrows go from mark to mark, from left to right. */
  function marks(chart) {
    var links = Array.prototype.slice.call(chart.querySelectorAll("a[href]"));
    links.forEach(function (link) {
      var title = link.querySelector("title");
      if (!title) { return; }
      link.setAttribute("aria-label", title.textContent);
      title.remove();
      link.addEventListener("pointerenter", function () { say(link); });
      link.addEventListener("pointerleave", quiet);
      link.addEventListener("focus", function () { say(link); });
      link.addEventListener("blur", quiet);
    });
    if (links.length < 8) { return; }
    var sorted = null;
    function inOrder() {
      if (!sorted) {
        sorted = links.map(function (link) {
          var box = link.getBBox();
          return { link: link, x: box.x + box.width / 2, y: box.y + box.height / 2 };
        }).sort(function (a, b) { return chart.id.indexOf("caterpillar") === 0 ? a.y - b.y : a.x - b.x; })
          .map(function (entry) { return entry.link; });
      }
      return sorted;
    }
    links.forEach(function (link, place) { link.setAttribute("tabindex", place ? "-1" : "0"); });
    chart.addEventListener("keydown", function (event) {
      var all = inOrder();
      var at = all.indexOf(document.activeElement);
      var steps = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 };
      if (at < 0 || !(event.key in steps)) { return; }
      event.preventDefault();
      var next = all[Math.min(Math.max(steps[event.key], 0), all.length - 1)];
      all[at].setAttribute("tabindex", "-1");
      next.setAttribute("tabindex", "0");
      next.focus({ preventScroll: false });
    });
  }

  document.body.appendChild(tip);
  document.addEventListener("keydown", function (event) { if (event.key === "Escape") { quiet(); } });
  document.querySelectorAll("svg.chart:not(.mini)").forEach(marks);
  document.querySelectorAll("table.providers, table.moves, table.results").forEach(tools);
}());

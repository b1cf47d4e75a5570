"""Questions about a parse tree that the rules share: lemmas, arguments, clauses. No meaning, only grammar."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spacy.tokens import Token

VERBAL = frozenset({"VERB", "AUX"})
NOMINAL = frozenset({"NOUN", "PROPN"})
SUBJECTS = ("nsubj", "nsubjpass", "csubj")
CLAUSES = frozenset({"relcl", "acl", "advcl", "ccomp", "parataxis", "csubj"})
PRE_MODIFIERS = frozenset({"amod", "compound", "nmod", "poss", "nummod", "quantmod", "npadvmod"})
MAX_DEPTH = 12
_MISTAKEN = {"hop": "hope", "basis": "base"}
"""What the model's lemmatizer makes of *hopes* and *bases*."""
_WHO = frozenset({"who", "which", "that"})


def lemma(token: Token) -> str:
    """The lemma, lower case; for what the tagger took for a name, without a plural's ending."""
    low: str = token.lemma_.lower()
    if low in _MISTAKEN:
        return _MISTAKEN[low]
    if token.pos_ == "PROPN" and low.endswith("s") and len(low) > 3 and not low.endswith("ss"):  # noqa: PLR2004 - us, as
        return low[:-1]
    return low


def kids(token: Token, *deps: str) -> list[Token]:
    """Children in one of these relations."""
    return [child for child in token.children if child.dep_ in deps]


def is_verb(token: Token) -> bool:
    """Whether it heads a clause."""
    return token.pos_ in VERBAL


def conjuncts(token: Token) -> list[Token]:
    """The token and what is joined to it by *and* or *or*, if that is no verb."""
    found, todo = [token], [token]
    while todo and len(found) < MAX_DEPTH:
        joined = [child for child in kids(todo.pop(), "conj") if not is_verb(child)]
        found += joined
        todo += joined
    return found


def phrase(token: Token) -> list[Token]:
    """Tokens of the noun phrase of ``token``, in order, without clauses, appositions and what is joined to it."""
    found, todo = [token], [token]
    while todo:
        for child in todo.pop().children:
            if child.dep_ not in CLAUSES and child.dep_ not in {"conj", "cc", "appos", "punct"}:
                found.append(child)
                todo.append(child)
    return sorted(found, key=lambda t: t.i)


def span_text(tokens: list[Token]) -> str:
    """The words from the first to the last of ``tokens``."""
    text: str = tokens[0].doc[tokens[0].i : tokens[-1].i + 1].text
    return text


def pobjs(token: Token, *preps: str) -> list[Token]:
    """Objects of its prepositions (of all, where none is named), and what is joined to them; ``out of`` is ``of``."""
    found: list[Token] = []
    for prep in kids(token, "prep", "dative", "agent"):
        if not preps or prep.lower_ in preps:
            for obj in kids(prep, "pobj"):
                found += conjuncts(obj)
        for inner in kids(prep, "prep"):
            if not preps or inner.lower_ in preps or prep.lower_ in preps:
                for obj in kids(inner, "pobj"):
                    found += conjuncts(obj)
    return found


def is_passive(verb: Token) -> bool:
    """Whether the verb stands in the passive, or is a participle that follows its noun."""
    if kids(verb, "auxpass", "nsubjpass", "agent"):
        return True
    if verb.dep_ == "conj" and verb.tag_ == "VBN" and is_verb(verb.head) and not kids(verb, "nsubj", "dobj", "aux"):
        return is_passive(verb.head)
    return verb.tag_ == "VBN" and verb.dep_ in {"acl", "amod"} and not kids(verb, "nsubj", "dobj")


def misread_perfect(verb: Token) -> bool:
    """Whether the parser hung a perfect on its object as if it were an adjective (``denied it had massed troops``)."""
    return verb.dep_ == "amod" and any(
        child.lower_ in {"had", "has", "have", "'ve", "'d"} for child in kids(verb, "aux")
    )


def objects(verb: Token) -> list[Token]:
    """Direct objects, in the active or passive, with what is joined to them."""
    found = [o for base in kids(verb, "dobj", "nsubjpass") for o in conjuncts(base)]
    if misread_perfect(verb):
        found = [verb.head]
    if verb.dep_ == "relcl" and any(o.lower_ in _WHO for o in found):
        found = [verb.head]
    if not found and verb.dep_ in {"acl", "relcl"} and (is_passive(verb) or _relative_object(verb)):
        found = [verb.head]
    if not found and kids(verb, "auxpass"):
        found = _stranded_subject(verb)
    if not found and is_passive(verb) and verb.dep_ == "conj":
        found = objects(verb.head)
    return found


def _stranded_subject(verb: Token) -> list[Token]:
    """The noun right before a passive that the parser hung elsewhere (``guarantees no troops would be sent``)."""
    first = min(child.i for child in kids(verb, "aux", "auxpass", "neg"))
    before = verb.doc[first - 1] if first else None
    if before is None or before.pos_ not in NOMINAL or before.is_ancestor(verb):
        return []
    while before.dep_ == "conj" and before.head.pos_ in NOMINAL:
        before = before.head
    return conjuncts(before)


def _relative_object(verb: Token) -> bool:
    return verb.dep_ == "relcl" and bool(kids(verb, "nsubj")) and not any(s.lower_ in _WHO for s in kids(verb, "nsubj"))


def themes(verb: Token) -> list[Token]:
    """What the verb moves or does: its objects; without any, its subject. ``dozens of tanks`` counts as tanks."""
    found = objects(verb)
    if not found and not is_passive(verb):
        found = [s for base in kids(verb, "nsubj") for s in conjuncts(base)]
        if not found and verb.dep_ in {"acl", "relcl"}:
            found = [verb.head]
    return [*found, *(inner for theme in found for inner in pobjs(theme, "of"))]


def governor(noun: Token) -> tuple[Token | None, str]:
    """The verb that a noun depends on and the relation (``dobj``, ``nsubj``, ``prep:on``, …); None if there is none."""
    token, relation = noun, ""
    for _ in range(MAX_DEPTH):
        if token.dep_ == "ROOT":
            return None, ""
        head = token.head
        if token.dep_ in {"pobj", "pcomp"}:
            relation = f"prep:{head.lower_}"
        elif token.dep_ not in {"prep", "conj", "appos", "compound", "amod", "nmod", "agent"}:
            relation = relation or token.dep_
        if is_verb(head) and token.dep_ != "conj":
            return head, relation or token.dep_
        if token.dep_ in {
            "conj",
            "prep",
            "pobj",
            "compound",
            "nmod",
            "amod",
            "appos",
            "agent",
            "pcomp",
            "dobj",
            "dative",
        }:
            token = head
            continue
        return None, ""
    return None, ""


def clause_head(token: Token) -> Token:
    """The verb of the clause that ``token`` stands in, or the sentence's root."""
    for _ in range(2 * MAX_DEPTH):
        if token.dep_ == "ROOT" or (is_verb(token) and token.dep_ not in {"aux", "auxpass", "amod"}):
            return token
        token = token.head
    return token


def clause(token: Token) -> list[Token]:
    """Tokens of the clause of ``token``: with open complements, without clauses that have their own subject."""
    head = clause_head(token)
    while head.dep_ in {"xcomp", "pcomp"} and head.head != head:
        head = clause_head(head.head)
    found, todo = [head], [head]
    while todo:
        for child in todo.pop().children:
            if not _own_clause(child, token):
                found.append(child)
                todo.append(child)
    return sorted(found, key=lambda t: t.i)


def _own_clause(child: Token, inside: Token) -> bool:
    if not is_verb(child) or child.is_ancestor(inside) or child == inside:
        return False
    return child.dep_ in {"relcl", "advcl", "ccomp", "conj", "parataxis"} and bool(kids(child, *SUBJECTS))


def ancestors(token: Token) -> Iterator[Token]:
    """The token and its heads up to the root."""
    yield token
    yield from token.ancestors


def modifiers(noun: Token) -> list[Token]:
    """Words that stand with a noun: adjectives, compounds, owners, and the nouns after ``of``, with their own."""
    found: list[Token] = []
    todo = [child for child in noun.children if child.dep_ in PRE_MODIFIERS]
    todo += pobjs(noun, "of", "by", "involving", "with")
    while todo and len(found) < 3 * MAX_DEPTH:
        token = todo.pop()
        found.append(token)
        todo += [
            child for child in token.children if child.dep_ in PRE_MODIFIERS or child.dep_ in {"conj", "advmod", "dep"}
        ]
    if noun.dep_ == "conj" and not found and noun.head.pos_ in NOMINAL:
        return modifiers(noun.head)
    return found

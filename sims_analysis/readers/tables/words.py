"""The words of tables: what headers are called in the languages in which laboratories write them.

One table by role and language. A role is what a column or a row is for; a language that is missing
is a line here, and nothing elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Literal

__all__ = [
    "FILLERS",
    "LETTERS",
    "PROCESSING",
    "SPECIES",
    "Role",
    "are_labels",
    "is_species",
    "named_role",
    "names_species",
    "pattern",
]

#: What a column holds. ``"ancillary"`` are numbers that belong to a sample, and are no signal.
Role = Literal[
    "axis",
    "time",
    "value",
    "error",
    "index",
    "ancillary",
    "mass",
    "energy",
    "text",
    "species",
    "unit",
    "unread",
]

#: Alternatives are separated by commas, and are regular expressions where that is shorter.
_WORDS: dict[str, dict[str, str]] = {
    "axis": {
        "en": "depth, sputter(?:ing|ed)?[ _-]?depth, distance, depth profile",
        "de": "tiefe, (?:sputter|eindring|krater|mess)tiefe",
        "fr": "profondeur, prof\\.",
        "es": "profundidad, prof\\.",
        "it": "profondità, profondita['’]?, prof\\.",
        "nl": "diepte, (?:sputter|krater)diepte",
        "ja": "スパッタ深さ, 深さ方向, 深さ, 深度",
        "zh": "[溅濺]射深度, 深度",
        "pt": "profundidade, prof\\.",
        "pl": "głębokość, glebokosc, głęb\\.",
        "cs": "hloubka",
        "sv": "djup, (?:sputter)?djup",
        "da": "dybde, (?:sputter)?dybde",
        "fi": "syvyys",
        "hu": "mélység",
        "tr": "derinlik",
        "ru": "глубина",
        "ko": "스퍼터 ?깊이, 깊이",
    },
    "time": {
        "en": "(?:(?:sputter(?:ing|ed)?|etch(?:ing)?|erosion)[ _-]?)?time",
        "de": "zeit, (?:sputter|ätz|aetz|abtrags?|mess)[ _-]?zeit",
        "fr": "durée, temps(?: d(?:e |'|’)(?:pulvérisation|abrasion|érosion|gravure|sputtering))?",
        "es": "tiempo(?: de (?:pulverización|erosión|sputtering|grabado))?",
        "it": "tempo(?: di (?:sputtering|erosione|sputter|polverizzazione))?",
        "nl": "tijd, (?:sputter|ets)[ _-]?tijd",
        "ja": "(?:スパッタ(?:リング)?|エッチング)?時間",
        "zh": "(?:[溅濺]射|刻[蚀蝕]|[蚀蝕]刻)?[时時][间間]",
        "pt": "tempo(?: de (?:pulverização|erosão|sputtering))?",
        "pl": "czas(?: (?:rozpylania|trawienia))?",
        "cs": "čas(?: odprašování)?",
        "sv": "tid, (?:sputter|ets)tid",
        "da": "tid, (?:sputter|æts(?:e)?|ets)tid",
        "fi": "aika",
        "hu": "idő",
        "tr": "zaman, süre",
        "ru": "время(?: (?:распыления|травления))?",
        "ko": "(?:스퍼터(?:링)? ?|식각 ?)?시간",
    },
    "value": {
        "en": "concentration, conc\\.?, atomic[ _]fraction, mass[ _]fraction"
        ", intensity(?:_arbitrary)?, int\\.?, counts?(?: rate)?, rate, signal, value, raw"
        ", content, density",
        "de": "konzentration, konz\\.?, intensität, intensitaet, zählrate, zaehlrate, gehalt"
        ", messwert, wert, dichte, anteil",
        "fr": "concentration, intensité, intensite, taux de comptage, teneur, valeur, coups",
        "es": "concentración, concentracion, intensidad, señal, cuentas, valor, contenido",
        "it": "concentrazione, intensità, segnale, conteggi, valore, contenuto",
        "nl": "concentratie, intensiteit, signaal, telsnelheid, waarde, gehalte",
        "ja": "濃度, 強度, 計数率, カウント(?:数|レート)?, 信号(?:強度)?, 二次イオン強度",
        "zh": "[浓濃]度, [强強]度, [计計][数數](?:率)?, [信訊][号號](?:[强強]度)?, 含量",
        "pt": "concentração, concentracao, intensidade, sinal, contagens, valor, teor",
        "pl": "stężenie, stezenie, koncentracja, natężenie, intensywność, sygnał"
        ", zliczenia, wartość",
        "cs": "koncentrace, intenzita, signál, hodnota, obsah",
        "sv": "koncentration, halt, intensitet, signal, värde",
        "da": "koncentration, konsentrasjon, intensitet, signal, værdi, verdi, indhold, innhold",
        "fi": "pitoisuus, konsentraatio, intensiteetti, signaali, arvo",
        "hu": "koncentráció, intenzitás, jel, érték",
        "tr": "konsantrasyon, derişim, yoğunluk, şiddet, sinyal, değer",
        "ru": "концентрация, интенсивность, сигнал, значение, содержание",
        "ko": "농도, 강도, 세기, 카운트(?:율)?, 계수율, 신호",
    },
    "error": {
        "en": "std\\.?[ _]?err(?:or)?, std\\.?[ _-]?dev(?:iation)?\\.?, std\\.?, err(?:or)?\\.?"
        ", standard (?:deviation|error), uncertainty, unc\\.?, sigma, σ, ±, \\+/-, sd, s\\.d\\.?"
        ", stdev, 1[ -]?sigma, 1[ -]?σ",
        "de": "fehler, standardabweichung, standardabw\\.?"
        ", standardfehler, stabw\\.?(?:[ns]|\\.[ns])?"
        ", unsicherheit"
        ", messunsicherheit, std\\.?[ -]?abw\\.?",
        "fr": "erreur, écart[ -]type, ecart[ -]type, incertitude",
        "es": "desviación (?:estándar|típica), desviacion (?:estandar|tipica), desv\\.? ?est\\.?"
        ", desvest\\.?, incertidumbre",
        "it": "deviazione standard, scarto tipo, dev\\.? ?st(?:and|d)?\\.?, errore, incertezza",
        "nl": "standaardafwijking, standaarddeviatie, standaardfout, fout, onzekerheid, stdafw\\.?",
        "ja": "標準偏差, 標準誤差, 誤差, エラー, 不確かさ",
        "zh": "[标標][准準](?:偏差|差|[误誤]差), [误誤]差, 不[确確]定度",
        "pt": "desvio[ -]padrão, desvio[ -]padrao, desv\\.? ?pad\\.?, erro(?: padrão)?, incerteza",
        "pl": "odchylenie(?: standardowe)?, odch\\.? ?std\\.?, błąd, niepewność",
        "cs": "(?:směrodatná|standardní) odchylka, sm\\. ?odch\\., chyba, nejistota",
        "sv": "standardavvikelse, std\\.?[ -]?avv\\.?, stdav, fel, osäkerhet",
        "da": "standardafvigelse, standardavvik, std\\.?[ -]?av[vf]\\.?, fejl, feil, usikkerhe[dt]",
        "fi": "keskihajonta, virhe, epävarmuus",
        "hu": "szórás, hiba, bizonytalanság",
        "tr": "standart sapma, std\\.? ?sapma, hata, belirsizlik",
        "ru": "(?:стандартное|среднеквадратич(?:ное|еское)) отклонение"
        ", станд\\.? ?откл\\.?, СКО, ошибка, погрешность",
        "ko": "표준 ?편차, 표준 ?오차, 오차, 불확도",
    },
    "mean": {
        "en": "mean, average, avg\\.?",
        "de": "mittelwert, mittel",
        "fr": "moyenne, moy\\.?",
        "es": "media, promedio",
        "it": "media",
        "nl": "gemiddelde, gem\\.?",
        "ja": "平均[値值]?",
        "zh": "平均[値值]?",
        "pt": "média",
        "pl": "średnia",
        "cs": "průměr",
        "sv": "medelvärde, medel",
        "da": "middelværdi, middelverdi, gennemsnit, gjennomsnitt",
        "fi": "keskiarvo",
        "hu": "átlag",
        "tr": "ortalama",
        "ru": "среднее(?: значение)?",
        "ko": "평균(?:값)?",
    },
    "index": {
        "en": "#, no\\.?, nr\\.?, index, row, (?:(?:data )?point|(?:sputter )?cycle|scan|frame)s?"
        "(?: ?#| number| no\\.?| nr\\.?)?",
        "de": "nummer, zyklus, zyklen, (?:mess|daten)?punkt(?: ?nr\\.?)?, zeile, lfd\\. ?nr\\.?",
        "fr": "numéro, n°, n°\\.?, point(?: n°)?, ligne, balayage",
        "es": "número, n[.]?º, ciclo, punto, fila",
        "it": "numero, n°, ciclo, punto, riga",
        "nl": "nummer, cyclus, (?:meet|data)?punt, rij",
        "ja": "番号, サイクル(?:数|番号)?, 点, 測定点, 行",
        "zh": "序[号號], [编編][号號], 循[环環](?:次?[数數])?, [点點], [数數][据據][点點]",
        "pt": "nº, n\\.?º, número, ponto, linha",
        "pl": "numer, l\\.? ?p\\.?, cykl, wiersz, punkt",
        "cs": "číslo, č\\., bod, cyklus, řádek",
        "sv": "nummer, cykel, punkt, rad",
        "da": "nummer, cyklus, syklus, punkt, række, rad",
        "fi": "numero, sykli, piste, rivi",
        "hu": "sorszám, ciklus, pont, sor",
        "tr": "numara, döngü, nokta, satır",
        "ru": "№, номер, цикл, точка, строка",
        "ko": "번호, 사이클, 점, 행",
    },
    "ancillary": {
        "en": "dose, fluence, ion dose, primary dose",
        "de": "dosis, fluenz",
        "fr": "fluence",
        "es": "dosis, fluencia",
        "it": "fluenza",
        "nl": "dosis, fluentie",
        "ja": "ドーズ量?",
        "zh": "[剂劑]量",
        "pt": "dose, fluência",
        "pl": "dawka",
        "cs": "dávka",
        "ru": "доза",
        "ko": "도즈",
    },
    "limit": {
        "en": "detection[ _]limits?, lod, lld, dl, mdl, limit of detection, det\\.? ?lim\\.?",
        "de": "nachweisgrenzen?, nwg",
        "fr": "limites? de détection, ld",
        "es": "límites? de detección",
        "it": "limit[ei] di (?:rilevazione|rilevabilità|rivelabilità|rilevamento)",
        "nl": "detectielimiet, detectiegrens",
        "ja": "検出(?:限界|下限)(?:値)?",
        "zh": "[检檢][出测測](?:[极極]?限|下限)",
        "pt": "limites? de det[ec]c?ção",
        "pl": "granica wykrywalności",
        "cs": "mez detekce",
        "sv": "detektionsgräns",
        "da": "detektionsgrænse, deteksjonsgrense",
        "fi": "toteamisraja, havaitsemisraja",
        "hu": "kimutatási határ",
        "tr": "algılama sınırı, tespit limiti",
        "ru": "предел обнаружения",
        "ko": "검출 ?(?:한계|하한)",
    },
    "factor": {
        "en": "rsf, sf, (?:relative )?sensitivity factors?",
        "de": "(?:relative[rn]? )?empfindlichkeitsfaktor(?:en)?",
        "fr": "facteurs? de sensibilité(?: relative)?",
        "es": "factor(?:es)? de sensibilidad(?: relativa)?",
        "it": "fattor[ei] di sensibilità(?: relativa)?",
        "ja": "(?:相対)?感度係数",
        "zh": "(?:相对)?灵敏度因子",
    },
    "species": {
        "en": "species, species_name, element, isotope, ion, signal",
        "de": "spezies, element, isotop, ion",
        "fr": "espèce, élément, isotope, ion",
        "es": "especie, elemento, isótopo, ión, ion",
        "it": "specie, elemento, isotopo, ione",
        "nl": "element, isotoop, ion",
        "ja": "元素, 核種, 同位体, イオン(?:種)?",
        "zh": "元素, 同位素, [离離]子",
        "pt": "espécie, elemento, isótopo, íon",
        "pl": "pierwiastek, izotop, jon",
        "cs": "prvek, izotop, iont",
        "sv": "grundämne, isotop, jon",
        "da": "grundstof, grunnstoff, isotop, ion",
        "fi": "alkuaine, isotooppi, ioni",
        "hu": "elem, izotóp, ion",
        "tr": "element, izotop, iyon",
        "ru": "элемент, изотоп, ион",
        "ko": "원소, 동위원소, 이온",
    },
    "unit": {
        "en": "units?",
        "de": "einheit(?:en)?",
        "fr": "unités?",
        "es": "unidad(?:es)?",
        "it": "unità",
        "nl": "eenheid",
        "ja": "単位",
        "zh": "[单單]位",
        "pt": "unidades?",
        "pl": "jednostk[ai]",
        "cs": "jednotk[ay]",
        "sv": "enhet",
        "da": "enhed, enhet",
        "fi": "yksikkö",
        "hu": "mértékegység",
        "tr": "birim",
        "ru": "единиц[аы](?: измерения)?",
        "ko": "단위",
    },
    "text": {
        "en": "samples?(?: (?:id|name|no\\.?))?, wafers?(?: (?:id|no\\.?))?, specimen, lot"
        ", operator, remarks?, comments?, notes?, flags?, date, status, matrix, layer, site"
        ", run, file",
        "de": "proben?[ -]?(?:name|nr\\.?|nummer|bezeichnung)?, muster, messung(?: nr\\.?)?"
        ", bemerkung(?:en)?"
        ", kommentar, anmerkung(?:en)?, notiz, datum, bediener, schicht",
        "fr": "échantillon, echantillon, plaquette, remarques?, commentaires?, couche, opérateur",
        "es": "muestra, oblea, observaci(?:ón|ones), comentarios?, notas?, fecha, capa",
        "it": "campione, osservazioni, commento, note?, data, strato, operatore",
        "nl": "monster, opmerking(?:en)?, datum, laag",
        "ja": "試料(?:名|番号)?, サンプル(?:名)?, ウェーハ, 備考, コメント, メモ, 日付",
        "zh": "[样樣]品(?:名[称稱]|[编編][号號])?, [样樣]本, 晶[圆圓]"
        ", [备備][注註], [注註][释釋], 日期",
        "pt": "amostra, observaç(?:ão|ões), comentários?, notas?, camada",
        "pl": "próbka, uwagi, komentarz, data, warstwa",
        "cs": "vzorek, poznámk[ay], komentář, datum, vrstva",
        "sv": "prov, anmärkning(?:ar)?, kommentar(?:er)?, datum, skikt",
        "da": "prøve, bemærkning(?:er)?, merknad(?:er)?, kommentar(?:er)?, dato, lag",
        "fi": "näyte, huomautus, huomautukset, kommentti, kerros",
        "hu": "minta, megjegyzés(?:ek)?, dátum, réteg",
        "tr": "numune, örnek, açıklama, tarih, katman",
        "ru": "образец, примечани[ея], комментари[йи], дата, слой",
        "ko": "시료(?:명)?, 샘플, 비고, 메모, 날짜",
    },
    "mass": {"en": "mass, m/z, amu", "de": "masse", "fr": "masse"},
    "energy": {
        "en": "(?:binding|kinetic) energy, energy, offset, voltage",
        "de": "energie",
    },
}
#: What was done to values, in the brackets where their unit would stand.
PROCESSING = re.compile(
    r"(?:(?:background|dead ?time|poisson|mass|drift|interference|baseline|bkgd?\.?|bg)[ -]?"
    r"(?:corr(?:ected|\.)?|subtracted|removed)|smoothed|averaged|untergrund(?:korrigiert|bereinigt)"
    r"|geglättet|corrigée? du (?:bruit de )?fond|バックグラウンド(?:補正|除去)|本底(?:校正|扣除))",
    re.IGNORECASE,
)
#: Labels that count: of elements with more nucleons than these.
_COUNTED, _MOST_ATOMS = re.compile(r"(\D+)(\d+)"), 8
#: What stands beside a word for values, and names no species either.
FILLERS = re.compile(
    r"(?:^|(?<=\s))(?:(?:secondary )?ions?|raw|corrected|normali[sz]ed|measured|atomic|sims|counts?"
    r"|atomare?|gemessene?|atomique|mesurée?)(?=$|\s)|二次イオン|二次离子|原子",
    re.IGNORECASE,
)
#: What values may be called by one letter, below the name of their species.
LETTERS = frozenset("CIYNciyn")
#: Roles that are a whole header, rather than words in one.
_WHOLE = ("index", "ancillary", "limit", "factor", "species", "unit", "text")
#: Elements that are called by their names where one stands alone above a pair of columns.
_NAMES = (
    "hydrogen wasserstoff hydrogène hidrógeno idrogeno waterstof 水素 氢 deuterium lithium "
    "litio boron bor bore boro boor ホウ素 硼 carbon kohlenstoff carbone carbono carbonio "
    "koolstof 炭素 碳 nitrogen stickstoff azote nitrógeno azoto stikstof 窒素 氮 oxygen "
    "sauerstoff oxygène oxígeno ossigeno zuurstof 酸素 氧 fluorine fluor flúor fluoro フッ素 "
    "氟 sodium natrium sodio ナトリウム 钠 magnesium magnésium magnesio マグネシウム 镁 "
    "aluminium aluminum aluminio alluminio アルミニウム 铝 silicon silizium silicium silicio "
    "ケイ素 シリコン 硅 phosphorus phosphor phosphore fósforo fosforo fosfor リン 磷 sulfur "
    "schwefel soufre azufre zolfo zwavel chlorine chlor chlore cloro chloor 塩素 氯 potassium "
    "kalium potasio potassio カリウム 钾 iron eisen fer hierro ferro ijzer 鉄 铁 copper "
    "kupfer cuivre cobre rame koper 銅 铜 zinc zink zinco 亜鉛 锌 gallium galio gallio "
    "ガリウム 镓 germanium germanio ゲルマニウム 锗 arsenic arsen arsénico arsenico arseen "
    "ヒ素 砷 indium indio インジウム 铟 antimony antimon antimoine antimonio antimoon "
    "アンチモン 锑"
)
_ELEMENT_NAMES = frozenset(_NAMES.split())
_ELEMENTS = (
    "H D T He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga "
    "Ge As Se Br Kr Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm "
    "Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th "
    "Pa U Np Pu Am Cm"
)
_ATOM = rf"\^?\d{{0,3}}(?:{'|'.join(sorted(_ELEMENTS.split(), key=len, reverse=True))})_?\d{{0,2}}"
SPECIES = re.compile(
    rf"[(\[]?(?:{_ATOM}[ ]?[)\]]?\d{{0,2}})+(?:\s*(?:[-+\u2212\u207a\u207b]|\^?\d?[-+]))?"
    r"(?:\s*(?:->|[-\u2013\u2014]?>|\u2192))?"
)


@lru_cache
def pattern(role: str) -> re.Pattern[str]:
    """Give the pattern of the words of a role, in all languages.

    Words between letters are no words: ``Si`` is none of ``Sigma``. Japanese, Chinese and Korean
    are written without blanks.
    """
    words = dict.fromkeys(w.strip() for texts in _WORDS[role].values() for w in texts.split(","))
    listed = sorted(words, key=len, reverse=True)
    plain = "|".join(word for word in listed if word.isascii() or not _without_blanks(word))
    joined = "|".join(word for word in listed if _without_blanks(word)) or "(?!)"
    if role in _WHOLE:
        return re.compile(rf"(?:{plain}|{joined})", re.IGNORECASE)
    if role in ("mass", "energy"):
        return re.compile(rf"\b(?:{plain}|{joined})\b", re.IGNORECASE)
    # A name and a word may be joined: ``Mg-Konzentration``.
    before = r"(?:^|[\s_]|(?<=\w)-)" if role == "value" else r"(?:^|[\s_])"
    after = r"(?=$|[\s_:])" if role == "value" else r"(?=$|[\s_:,.(])"
    return re.compile(rf"(?:{before}(?:{plain}){after}|(?:{joined}))", re.IGNORECASE)


def _without_blanks(word: str) -> bool:
    return any("\u3040" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7a3" for c in word)


@lru_cache(maxsize=4096)
def named_role(text: str, *roles: str) -> str | None:
    """Tell which of some roles a whole text is the word of; ``None`` if none.

    Examples
    --------
    >>> named_role("Bemerkung", "species", "text"), named_role("Si", "species", "text")
    ('text', None)
    """
    words = " ".join(text.strip().rstrip(":").split())
    return next((role for role in roles if pattern(role).fullmatch(words)), None)


def are_labels(texts: Collection[str]) -> bool:
    """Whether texts count samples: ``W1``, ``W2``; isotopes count nucleons.

    Examples
    --------
    >>> are_labels(["W1", "W2"]), are_labels(["B10", "B11"]), are_labels(["Wafer 11", "Wafer 12"])
    (True, False, True)
    """
    found = [_COUNTED.fullmatch(text) for text in texts]
    matches = [match for match in found if match]
    if len({*texts}) < 2 or len(matches) < len(found) or len({m[1] for m in matches}) > 1:
        return False
    word = matches[0][1].strip(" _#-")
    nuclide = word in ("H", "He", "Li") or any(int(match[2]) > _MOST_ATOMS for match in matches)
    return not (word in _ELEMENTS.split() and nuclide)


@lru_cache(maxsize=4096)
def is_species(text: str) -> bool:
    """Whether a text is the formula of an ion: an isotope, a cluster, a matrix signal.

    Examples
    --------
    >>> [is_species(text) for text in ("11B", "^13C", "GaAs+", "Si->", "Probe", "conc.")]
    [True, True, True, True, False, False]
    """
    return SPECIES.fullmatch(text.strip()) is not None


def names_species(text: str) -> bool:
    """Whether a text holds the formula or the name of a species, and is not about a sample.

    Examples
    --------
    >>> [names_species(text) for text in ("Boron", "11B in Si", "Probe W7", "Sample B")]
    [True, True, False, False]
    """
    words = re.split(r"[\s,;()]+", text.strip())
    if any(named_role(word, "text") for word in words):
        return False
    return any(is_species(word) or word.casefold() in _ELEMENT_NAMES for word in words if word)

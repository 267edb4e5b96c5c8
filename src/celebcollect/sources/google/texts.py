"""What Google's pages say in the languages in which they are served.

English is what we ask for (`hl`); not every page cares.

Written from memory but for the English, German and Spanish ones, so the marks in the document come
first. All are in lower case.
"""

from __future__ import annotations

import re

_CAPTCHA = re.compile(
    "|".join(
        (
            "unusual traffic",
            "tr[áa](?:fico|fego) (?:inusual|incomum|invulgar|anormal)",
            "ungewöhnliche[nrs]? (?:datenverkehr|zugriffe)",
            "trafic (?:exceptionnel|inhabituel|neobișnuit)",
            "traffico insolito",
            "ongebruikelijk (?:verkeer|netwerkverkeer)",
            "nietypowy ruch",
            "neobvykl[ýé] (?:provoz|prevádzk)",
            "ovanlig trafik|usædvanlig trafik|uvanlig trafikk|epätavallista liikennettä",
            "szokatlan (?:adat)?forgal",
            "olağan ?dışı (?:bir )?trafik",
            "ασυνήθιστη (?:κίνηση|επισκεψιμότητα)",
            "(?:подозрительный|необычный|нетипичный) трафик|незвичайний трафік|необичаен трафик",
            "通常と異なるトラフィック",
            "异常流量|流量异常|異常流量|流量有異常|流量異常",
            "비정상적인 트래픽",
            "(?:زيارات|حركة مرور|حركة بيانات) غير (?:معتادة|عادية)",
            "תנועה חריגה",
            "lưu lượng truy cập bất thường",
            "(?:lalu lintas|traffic|trafik) (?:yang )?tidak (?:biasa|wajar)",
            "การเข้าชมที่ผิดปกติ",
            "असामान्य ट्रैफ़िक",
        )
    )
)

_NO_RESULT = re.compile(
    "|".join(
        (
            (
                "did not match any (?:image|document|result)|there aren't any matches for your"
                " search|no results found for"
            ),
            (
                "übereinstimmenden (?:bild|dokument|ergebnis)|keine (?:bild)?ergebnisse (?:gefunden"
                " )?für"
            ),
            (
                "ne correspond(?:ent)? (?:à aucun|aux termes de recherche)|aucun"
                " (?:résultat|document)[^.]{0,100}(?:trouvé|pour)"
            ),
            (
                "no (?:ha obtenido|obtuvo|ha producido|produjo) ningún|no coinciden? con ning|no se"
                " (?:han encontrado|encontraron|ha encontrado) "
            ),
            (
                "non ha prodotto (?:alcun|risultati)|nessun risultato (?:trovato )?per|non sono"
                " stati trovati risultati"
            ),
            (
                "não (?:encontrou|produziu|corresponde a) nenhum|não foram encontrados"
                " resultados|nenhum resultado (?:encontrado )?para"
            ),
            (
                "geen (?:zoek)?(?:resultaten|afbeeldingen|documenten) (?:gevonden|opgeleverd)|komt"
                " niet overeen met een"
            ),
            (
                "nie (?:odpowiada|pasuje do) żadn|nie została odnaleziona|nie znaleziono"
                " (?:wyników|żadnych)"
            ),
            (
                "neodpovíd[^.]{0,30}žádn|(?:nebyly|nenašli jsme|nenašly sa) (?:nalezeny"
                " )?žiad?n|nebyly nalezeny žádné|nenašli sa žiadne"
            ),
            (
                "matchade inte någ|gav inga (?:träffar|resultat)|(?:gav|ga) ingen"
                " (?:resultat|billed|treff)|samsvarte ikke med noen"
            ),
            "ei (?:vastannut|vastaa) (?:yhtään|mitään)|ei tuottanut (?:yhtään|tuloksia)",
            "nem (?:felel|felelt) meg egyetlen|nincs (?:a keresésnek megfelelő )?találat",
            "nu (?:a produs niciun|corespunde niciun|au fost găsite rezultate)",
            "hiçbir (?:arama )?(?:sonu[cç]|görsel|resim|belge)|sonuç bulunamadı",
            "δεν (?:ταιριάζει με κανένα|βρέθηκαν αποτελέσματα|αντιστοιχεί σε κανένα)",
            (
                "ничего не найдено|нічого не знайдено|не найдено ни одно|не знайдено жодно|не бяха"
                " намерени"
            ),
            "に一致する.{0,20}見つかりませんでした",
            "找不到(?:和|与|與|符合|任何)|没有找到(?:与|和|任何)|沒有找到(?:與|和|任何)",
            "검색 ?결과가 없습니다|일치하는 .{0,30}없습니다",
            "لم (?:يتطابق|يطابق|ينجح|تتطابق|يتم العثور)|لا توجد نتائج",
            "לא נמצאו תוצאות|לא ת(?:אם|אמו|ואם)",
            "không (?:khớp với|tìm thấy) (?:bất kỳ|kết quả)",
            "tidak (?:cocok dengan|ditemukan hasil)|tidak ada hasil",
            "ไม่ตรงกับ|ไม่พบผลการค้นหา",
            "से कोई .{0,40}मेल नहीं|कोई परिणाम नहीं",
        )
    )
)

REJECT_LABELS = (
    "reject all",
    "alle ablehnen",
    "tout refuser",
    "tout rejeter",
    "rechazar todo",
    "rifiuta tutto",
    "rejeitar tudo",
    "recusar tudo",
    "rebutja-ho tot",
    "alles afwijzen",
    "odmítnout vše",
    "odmietnuť všetko",
    "zamietnuť všetko",
    "odrzuć wszystko",
    "avvisa alla",
    "neka alla",
    "avvis alle",
    "afvis alle",
    "hylkää kaikki",
    "az összes elutasítása",
    "összes elutasítása",
    "respingeți tot",
    "respinge tot",
    "odbij sve",
    "odbaci sve",
    "zavrni vse",
    "keeldu kõigist",
    "noraidīt visu",
    "atmesti viską",
    "tümünü reddet",
    "απόρριψη όλων",
    "отклонить все",
    "отклонить всё",
    "відхилити все",
    "отхвърляне на всички",
    "одбиј све",
    "すべて拒否",
    "全部拒绝",
    "全部拒絕",
    "모두 거부",
    "رفض الكل",
    "דחיית הכול",
    "דחה הכול",
    "từ chối tất cả",
    "tolak semua",
    "ปฏิเสธทั้งหมด",
    "सभी अस्वीकार करें",
)
"""What is written on the button that rejects all cookies."""


def speaks_of_captcha(text: str) -> bool:
    """Tell whether a page's visible text says that it wants a captcha solved."""
    return _CAPTCHA.search(_plain(text)) is not None


def speaks_of_no_results(text: str) -> bool:
    """Tell whether a page's visible text says that nothing was found."""
    return _NO_RESULT.search(_plain(text)) is not None


def _plain(text: str) -> str:
    return " ".join(text.lower().replace("’", "'").split())

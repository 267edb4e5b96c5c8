"""Telling a page by what it says, in many languages."""

from __future__ import annotations

import pytest

from celebcollect.sources.google.texts import REJECT_LABELS, speaks_of_captcha, speaks_of_no_results

CAPTCHAS = (
    "Our systems have detected unusual traffic from your computer network.",
    "Unsere Systeme haben ungewöhnlichen Datenverkehr aus Ihrem Computernetzwerk festgestellt.",
    "Nos systèmes ont détecté un trafic exceptionnel sur votre réseau informatique.",
    "Nuestros sistemas han detectado tráfico inusual procedente de tu red.",
    "Nossos sistemas detectaram tráfego incomum na sua rede.",
    "Våra system har upptäckt ovanlig trafik från ditt nätverk.",
    "Sistemlerimiz, bilgisayar ağınızdan gelen olağan dışı bir trafik algıladı.",
    "Наши системы обнаружили подозрительный трафик.",
    "お使いのコンピュータ ネットワークから通常と異なるトラフィックが検出されました。",
    "我們的系統偵測到您的電腦網路送出的流量有異常情況。",
    "컴퓨터 네트워크에서 비정상적인 트래픽이 감지되었습니다.",
    "رصدت أنظمتنا زيارات غير معتادة من شبكة الكمبيوتر.",
)

NO_RESULTS = (
    "Your search - xyz - did not match any image results.",
    "It looks like there aren’t any matches for your search",
    "Es wurden keine mit deiner Suchanfrage - xyz - übereinstimmenden\nBilder gefunden.",
    "Aucun document ne correspond aux termes de recherche spécifiés (xyz).",
    "La búsqueda de xyz no obtuvo ningún resultado de imágenes.",
    "No se han encontrado resultados para tu búsqueda (xyz).",
    "La ricerca di - xyz - non ha prodotto risultati.",
    "Não foram encontrados resultados de imagens para xyz",
    "Je zoekopdracht - xyz - heeft geen afbeeldingen opgeleverd.",
    "Podana fraza - xyz - nie została odnaleziona.",
    "Vašemu dotazu - xyz - neodpovídají žádné obrázky.",
    "Din sökning - xyz - matchade inte några bilder.",
    "xyz ile ilgili hiçbir arama sonucu mevcut değil.",
    "По запросу xyz ничего не найдено.",
    "xyz に一致する画像は見つかりませんでした。",
    "找不到和您查询的“xyz”相符的内容或信息。",
    "xyz에 대한 검색결과가 없습니다.",
    "لم يتطابق بحثك - xyz - مع أي نتائج صور",
)


@pytest.mark.parametrize("text", CAPTCHAS)
def test_a_captcha_is_told_in_any_language(text: str) -> None:
    """The sentence is known, and is not taken for another one."""
    assert speaks_of_captcha(text)
    assert not speaks_of_no_results(text)


@pytest.mark.parametrize("text", NO_RESULTS)
def test_no_results_are_told_in_any_language(text: str) -> None:
    """The sentence is known, and is not taken for another one."""
    assert speaks_of_no_results(text)
    assert not speaks_of_captcha(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Images Maps News Shopping Settings Tools",
        "404. The requested URL was not found on this server.",
        "Alle Bilder Videos",
    ],
)
def test_other_texts_say_neither(text: str) -> None:
    """What every page carries is no sign."""
    assert not speaks_of_captcha(text)
    assert not speaks_of_no_results(text)


def test_labels_are_in_the_form_in_which_they_are_compared() -> None:
    """The page's script folds what it reads; a label in another form would never be found."""
    assert all(label == " ".join(label.lower().split()) for label in REJECT_LABELS)
    assert len(set(REJECT_LABELS)) == len(REJECT_LABELS)

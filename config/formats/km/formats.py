"""Khmer dates and numbers: Django's own `km` formats pair Arabic digits with the separators of Khmer ones."""

DATE_FORMAT = "ថ្ងៃទីj ខែF ឆ្នាំY"
DATETIME_FORMAT = "ថ្ងៃទីj ខែF ឆ្នាំY ម៉ោង H:i"
TIME_FORMAT = "H:i"
YEAR_MONTH_FORMAT = "ខែF ឆ្នាំY"
MONTH_DAY_FORMAT = "ថ្ងៃទីj ខែF"
SHORT_DATE_FORMAT = "d/m/Y"
SHORT_DATETIME_FORMAT = "d/m/Y H:i"
FIRST_DAY_OF_WEEK = 1
DECIMAL_SEPARATOR = "."
THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3

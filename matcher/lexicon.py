from pathlib import Path
LEXICON = Path(__file__).with_name("lexicon.tsv.gz")

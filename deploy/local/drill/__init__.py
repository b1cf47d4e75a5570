"""The built-in drill: a crisis between invented states, told by invented outlets over real feeds."""

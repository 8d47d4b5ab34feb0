"""Letters to sounds for English words that no dictionary has.

Context rules after Elovitz, Johnson, McHugh and Shore, "Automatic translation of English text to
phonetics by means of letter-to-sound rules", NRL Report 7948 (1976), written anew for ARPAbet.

A rule is `left[letters]right=PHONES`. In left and right a letter stands for itself and
  #  one or more vowels          :  any number of consonants    ^  one consonant
  .  a voiced consonant          +  a vowel that softens (E I Y) %  an ending (E ES ED ER ING ELY)
  &  a sibilant                  @  a consonant after which a long U is OO
  _  the edge of the word
The first rule that fits is taken; the next begins behind its letters.
"""

from __future__ import annotations

import re
from functools import lru_cache

_RULES = """
_[a]_=AH [a]_=AH _[are]_=AA_R _[ar]o=AH_R [ar]#=EH_R ^[as]#=EY_S [a]wa=AH [aw]=AO _:[any]=EH_N_IY
[a]^+#=EY #:[ally]=AH_L_IY _[al]#=AH_L [again]=AH_G_EH_N #:[ag]e=IH_JH [a]^+:#=AE _:[a]^+_=EY
[a]^%=EY _[arr]=AH_R [arr]=AE_R _:[ar]_=AA_R [ar]_=ER [ar]=AA_R [air]=EH_R [ai]=EY [ay]=EY
[au]=AO #:[al]_=AH_L #:[als]_=AH_L_Z [alk]=AO_K [al]^=AO_L _:[able]=EY_B_AH_L [able]=AH_B_AH_L
[ang]+=EY_N_JH [ath]_=AE_TH [a]=AE
_[be]^#=B_IH [being]=B_IY_IH_NG _[both]_=B_OW_TH _[bus]#=B_IH_Z [buil]=B_IH_L m[b]_= [bb]=B [b]=B
_[ch]^=K ^e[ch]=K [chr]=K_R [ch]=CH _s[ci]#=S_AY [ci]a=SH [ci]o=SH [ci]en=SH [cqu]=K_W [ck]=K
[cc]+=K_S [cc]=K s[c]+= [c]+=S [com]%=K_AH_M [c]=K
#:[ded]_=D_IH_D .e[d]_=D #:^e[d]_=T _[de]^#=D_IH _[do]_=D_UW _[does]=D_AH_Z _[doing]=D_UW_IH_NG
[dge]=JH [dg]+=JH [du]a=JH_UW [dd]=D [d]=D
#:[e]_= _:^[e]_= _:[e]_=IY #[ed]_=D #:[e]d_= [ev]er=EH_V [e]^%=IY [eri]#=IY_R_IY [eri]=EH_R_IH
#:[er]#=ER [ear]^=ER [ear]=IH_R [er]#=EH_R [er]=ER _[even]=IY_V_IH_N #:[e]w= t[ew]=UW s[ew]=UW
r[ew]=UW d[ew]=UW l[ew]=UW z[ew]=UW n[ew]=UW j[ew]=UW th[ew]=UW ch[ew]=UW sh[ew]=UW [ew]=Y_UW
[e]o=IY #:&[es]_=IH_Z #:[e]s_= #:[ely]_=L_IY #:[ement]=M_EH_N_T [eful]=F_UH_L [ee]=IY
[earn]=ER_N [ead]=EH_D #:[ea]_=IY_AH [ea]su=EH [ea]=IY [eigh]=EY [ei]=IY _[eye]=AY [ey]=IY
[eu]=Y_UW [e]=EH
[ful]=F_UH_L [ff]=F [f]=F
[giv]=G_IH_V _[g]i^=G [ge]t=G_EH su[gges]=G_JH_EH_S [gg]=G _b#[g]=G [g]+=JH [great]=G_R_EY_T
#[gh]= _[gn]=N [gn]_=N [g]=G
_[hav]=HH_AE_V _[here]=HH_IY_R _[hour]=AW_ER [how]=HH_AW [h]#=HH [h]=
_[in]=IH_N _[i]_=AY [in]d=AY_N [ier]=IY_ER #:r[ied]=IY_D [ied]_=AY_D [ien]=IY_EH_N [ie]t=AY_EH
_:[i]%=AY [i]%=IY [ie]=IY [i]^+:#=IH [ir]#=AY_R [iz]%=AY_Z [is]%=AY_Z [i]d%=AY +^[i]^+=IH
[i]t%=AY #:^[i]^+=IH [i]^+=AY [ir]=ER [igh]=AY [ild]=AY_L_D [ign]_=AY_N [ign]^=AY_N [ign]%=AY_N
[ique]=IY_K [i]=IH
[j]=JH
_[kn]=N [kk]=K [k]=K
[lo]c#=L_OW l[l]= #:^[l]%=AH_L [lead]=L_IY_D [l]=L
[mov]=M_UW_V [mm]=M [m]=M
e[ng]+=N_JH [ng]r=NG_G [ng]#=NG_G [ngl]%=NG_G_AH_L [ng]=NG [nk]=NG_K _[now]_=N_AW [nn]=N [n]=N
[of]_=AH_V [orough]=ER_OW #:[or]_=ER #:[ors]_=ER_Z [or]=AO_R _[one]=W_AH_N [ow]el=AW
[ow]n_=AW [ow]d=AW [ow]=OW _[over]=OW_V_ER [ov]=AH_V [o]^%=OW [o]^en=OW [o]^i#=OW [ol]d=OW_L
[ought]=AO_T [ough]=AH_F _[ou]=AW h[ou]s#=AW [ous]=AH_S [our]=AO_R [ould]=UH_D ^[ou]^l=AH
[oup]=UW_P [ou]=AW [oy]=OY [oing]=OW_IH_NG [oi]=OY [oor]=AO_R [ook]=UH_K [ood]=UH_D [oo]=UW
[o]e=OW [o]_=OW [oa]=OW _[only]=OW_N_L_IY _[once]=W_AH_N_S [on't]=OW_N_T c[o]n=AA [o]ng=AO
_:^[o]n=AH i[on]=AH_N #:[on]_=AH_N #^[on]=AH_N [o]st_=OW [of]^=AO_F [other]=AH_DH_ER [oss]_=AO_S
#:^[om]=AH_M [o]=AA
[ph]=F [peop]=P_IY_P [pow]=P_AW [put]_=P_UH_T _[ps]=S [pp]=P [p]=P
[quar]=K_W_AO_R [que]_=K [qu]=K_W [q]=K
_[re]^#=R_IY [rh]=R [rr]=R [r]=R
[sh]=SH #[sion]=ZH_AH_N [some]=S_AH_M #[sur]#=ZH_ER [sur]#=SH_ER #[su]#=ZH_UW #[ssu]#=SH_UW
#[sed]_=Z_D #[s]#=Z [said]=S_EH_D ^[sion]=SH_AH_N [s]s= .[s]_=Z #:.e[s]_=Z #:^##[s]_=Z #:^#[s]_=S
u[s]_=S _:#[s]_=Z _[sch]=S_K [s]c+= #[sm]=Z_M [ssion]=SH_AH_N [s]=S
_[the]_=DH_AH [to]_=T_UW [that]_=DH_AE_T _[this]_=DH_IH_S _[they]=DH_EY _[there]=DH_EH_R
[ther]=DH_ER [their]=DH_EH_R _[than]_=DH_AE_N _[them]_=DH_EH_M _[these]_=DH_IY_Z _[then]=DH_EH_N
[through]=TH_R_UW [those]=DH_OW_Z [though]_=DH_OW _[thus]=DH_AH_S [th]=TH #:[ted]_=T_IH_D
s[ti]#n=CH [ti]o=SH [ti]a=SH [tien]=SH_AH_N [tur]#=CH_ER [tu]a=CH_UW _[two]=T_UW [tch]=CH [tt]=T
s[t]en= s[t]le= [t]=T
_[un]i=Y_UW_N _[un]=AH_N _[upon]=AH_P_AO_N @[ur]#=UH_R [ur]#=Y_UH_R [ur]=ER [u]^_=AH [u]^^=AH
[uy]=AY _g[u]#= g[u]%= g[u]#=W #n[u]=Y_UW @[u]=UW [u]=Y_UW
[view]=V_Y_UW [vv]=V [v]=V
_[were]=W_ER [wa]s=W_AA [wa]t=W_AA [where]=W_EH_R [what]=W_AH_T [whol]=HH_OW_L [who]=HH_UW [wh]=W
[war]=W_AO_R [wor]^=W_ER [wr]=R [w]^= [w]_= [w]=W
_[x]=Z [x]=K_S
[young]=Y_AH_NG _[you]=Y_UW _[yes]=Y_EH_S _[y]=Y #:^[y]_=IY #:^[y]i=IY _:[y]_=AY _:[y]#=AY
_:[y]^+:#=IH _:[y]^#=AY [y]=IH
[zz]=Z [z]=Z
"""
_CLASSES = {
    "#": "[aeiouy]+",
    ":": "[bcdfghjklmnpqrstvwxz]*",
    "^": "[bcdfghjklmnpqrstvwxz]",
    ".": "[bdvgjlmnrwz]",
    "+": "[eiy]",
    "%": "(?:er|e|es|ed|ing|ely)\\Z",
    "&": "(?:s|c|g|z|x|j|ch|sh)",
    "@": "(?:t|s|r|d|l|z|n|j|th|ch|sh)",
    "<": "\\A",
    "_": "\\Z",
}


def sounded(word: str) -> tuple[str, ...]:
    """The phones of a word in letters a to z (apostrophes are let go); others are silent."""
    plain = re.sub(r"[^a-z]", "", word.lower())
    found: list[str] = []
    at = 0
    while at < len(plain):
        for letters, left, right, phones in _compiled().get(plain[at], ()):
            end = at + len(letters)
            if (
                plain.startswith(letters, at)
                and left.search(plain, 0, at)
                and right.match(plain, end)
            ):
                found.extend(phones)
                at = end
                break
        else:
            at += 1
    return tuple(found)


@lru_cache(maxsize=1)
def _compiled() -> dict[str, list[tuple[str, re.Pattern[str], re.Pattern[str], tuple[str, ...]]]]:
    rules: dict[str, list[tuple[str, re.Pattern[str], re.Pattern[str], tuple[str, ...]]]] = {}
    for rule in _RULES.split():
        context, _, phones = rule.partition("=")
        left, letters, right = re.split(r"[\[\]]", context)
        before = re.compile(_pattern(left.replace("_", "<")) + r"\Z")
        said = tuple(phones.split("_")) if phones else ()
        rules.setdefault(letters[0], []).append(
            (letters, before, re.compile(_pattern(right)), said)
        )
    return rules


def _pattern(context: str) -> str:
    return "".join(_CLASSES.get(character, re.escape(character)) for character in context)
